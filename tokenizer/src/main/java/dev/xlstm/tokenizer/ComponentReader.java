package dev.xlstm.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/** Reads normalizer, pre_tokenizer, post_processor and decoder of a tokenizer.json, and names what is not supported. */
final class ComponentReader {
    private final TokenizerFile file;

    ComponentReader(TokenizerFile file) {
        this.file = file;
    }

    boolean isNfc(JsonPart normalizer) throws TokenizerException {
        if (normalizer.isNull()) {
            return false;
        }
        JsonPart type = normalizer.get("type");
        switch (type.string()) {
            case "NFC" -> {
                return true;
            }
            case "Sequence" -> {
                boolean nfc = false;
                for (JsonPart part : normalizer.get("normalizers").list()) {
                    nfc |= isNfc(part);
                }
                return nfc;
            }
            default -> throw type.unsupported("NFC, a Sequence of it, or null");
        }
    }

    /** The stages from a stretch of text to pretokens, in their order. */
    List<UnaryOperator<Stage>> preTokenizers(JsonPart preTokenizer) throws TokenizerException {
        List<JsonPart> parts = new ArrayList<>();
        flatten(preTokenizer, "pretokenizers", parts);
        List<UnaryOperator<Stage>> stages = new ArrayList<>();
        boolean byteLevel = false;
        for (JsonPart part : parts) {
            JsonPart type = part.get("type");
            if (byteLevel) {
                throw type.unsupported("nothing after ByteLevel");
            }
            switch (type.string()) {
                case "ByteLevel" -> {
                    byteLevel = true;
                    if (part.get("add_prefix_space").bool(true)) {
                        stages.add(PrefixSpaceStage::new);
                    }
                    if (part.get("use_regex").bool(true)) {
                        stages.add(split(new Gpt2Pattern(), SplitStage.Behavior.ISOLATED, false));
                    }
                }
                case "Split" ->
                    stages.add(split(
                            pattern(part.get("pattern")),
                            behavior(part.get("behavior")),
                            part.get("invert").bool(false)));
                case "Digits" -> {
                    boolean individual = part.get("individual_digits").bool(false);
                    stages.add(split(
                            new DigitsPattern(),
                            individual ? SplitStage.Behavior.ISOLATED : SplitStage.Behavior.CONTIGUOUS,
                            false));
                }
                default -> throw type.unsupported("ByteLevel, Split, Digits and Sequences of them");
            }
        }
        if (!byteLevel) {
            throw new TokenizerException(preTokenizer.where(), "has no ByteLevel; only byte-level BPE is supported");
        }
        return stages;
    }

    private static UnaryOperator<Stage> split(SplitPattern pattern, SplitStage.Behavior behavior, boolean invert) {
        return next -> new SplitStage(pattern, behavior, invert, next);
    }

    private static SplitPattern pattern(JsonPart pattern) throws TokenizerException {
        JsonPart literal = pattern.get("String");
        JsonPart part = literal.isNull() ? pattern.get("Regex") : literal;
        String text = part.string();
        int max = literal.isNull() ? TokenizerLimits.PATTERN_CHARS : TokenizerLimits.ADDED_TOKEN_CHARS;
        if (text.isEmpty() || text.length() > max) {
            throw new TokenizerException(part.where(), "has " + text.length() + " characters, expected 1 to " + max);
        }
        if (!literal.isNull()) {
            return new LiteralPattern(text);
        }
        return switch (text) {
            case Gpt2Pattern.REGEX -> new Gpt2Pattern();
            case Llama3Pattern.LLAMA3_REGEX -> new Llama3Pattern(3);
            case Llama3Pattern.QWEN2_REGEX -> new Llama3Pattern(1);
            default -> RegexPattern.compile(part.where(), text);
        };
    }

    private static SplitStage.Behavior behavior(JsonPart behavior) throws TokenizerException {
        return switch (behavior.string()) {
            case "Removed" -> SplitStage.Behavior.REMOVED;
            case "Isolated" -> SplitStage.Behavior.ISOLATED;
            case "MergedWithPrevious" -> SplitStage.Behavior.MERGED_WITH_PREVIOUS;
            case "MergedWithNext" -> SplitStage.Behavior.MERGED_WITH_NEXT;
            case "Contiguous" -> SplitStage.Behavior.CONTIGUOUS;
            default ->
                throw behavior.unsupported("Removed, Isolated, MergedWithPrevious, MergedWithNext and Contiguous");
        };
    }

    /** Checks the decoder: a ByteLevel one, which null stands for as well, and steps that change nothing after it. */
    void decoder(JsonPart decoder) throws TokenizerException {
        if (decoder.isNull()) {
            return;
        }
        List<JsonPart> parts = new ArrayList<>();
        flatten(decoder, "decoders", parts);
        for (JsonPart part : parts) {
            JsonPart type = part.get("type");
            if (!type.string().equals("ByteLevel") && !type.string().equals("Fuse")) {
                throw type.unsupported("ByteLevel, Fuse and Sequences of them");
            }
        }
    }

    /** Reads what a template puts around a text; ByteLevel moves offsets only. */
    void postProcessor(JsonPart postProcessor) throws TokenizerException {
        if (postProcessor.isNull()) {
            return;
        }
        List<JsonPart> parts = new ArrayList<>();
        flatten(postProcessor, "processors", parts);
        boolean template = false;
        for (JsonPart part : parts) {
            JsonPart type = part.get("type");
            if (type.string().equals("TemplateProcessing")) {
                if (template) {
                    throw type.unsupported("one TemplateProcessing");
                }
                template = true;
                template(part);
            } else if (!type.string().equals("ByteLevel")) {
                throw type.unsupported("ByteLevel, TemplateProcessing and Sequences of them");
            }
        }
    }

    private void template(JsonPart part) throws TokenizerException {
        IntList prefix = new IntList();
        IntList suffix = new IntList();
        boolean afterText = false;
        for (JsonPart piece : part.get("single").list()) {
            JsonPart special = piece.get("SpecialToken");
            if (special.isNull()) {
                if (afterText || piece.get("Sequence").isNull()) {
                    throw new TokenizerException(piece.where(), "expected a SpecialToken, or one Sequence");
                }
                afterText = true;
                continue;
            }
            String name = special.get("id").string();
            JsonPart tokens = part.get("special_tokens").get(name);
            for (JsonPart id : tokens.get("ids").list()) {
                if (id.id() >= file.size()) {
                    throw id.expected("the id of a token");
                }
                (afterText ? suffix : prefix).add(id.id());
            }
        }
        file.templatePrefix = prefix.drain();
        file.templateSuffix = suffix.drain();
    }

    /** The parts of a component and, in their place, those of the Sequences in it. */
    private static void flatten(JsonPart part, String sequenceField, List<JsonPart> parts) throws TokenizerException {
        if (part.isNull()) {
            return;
        }
        if (part.get("type").string().equals("Sequence")) {
            for (JsonPart inner : part.get(sequenceField).list()) {
                flatten(inner, sequenceField, parts);
            }
        } else {
            parts.add(part);
        }
    }
}
