package dev.xlstm.tokenizer;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/** Reads normalizer, pre_tokenizer, post_processor and decoder of a tokenizer.json; refuses unsupported ones by name. */
final class ComponentReader {
    private final TokenizerFile file;

    ComponentReader(TokenizerFile file) {
        this.file = file;
    }

    /** The stages of a normalizer, in their order. */
    List<UnaryOperator<Stage>> normalizers(JsonPart normalizer) throws TokenizerException {
        List<JsonPart> parts = new ArrayList<>();
        flatten(normalizer, "normalizers", parts);
        List<UnaryOperator<Stage>> stages = new ArrayList<>();
        for (JsonPart part : parts) {
            JsonPart type = part.get("type");
            switch (type.string()) {
                case "NFC", "NFD", "NFKC", "NFKD" -> {
                    Normalizer.Form form = Normalizer.Form.valueOf(type.string());
                    stages.add(next -> new NormalizationStage(form, next));
                }
                case "Lowercase" -> stages.add(LowercaseStage::new);
                case "Replace" -> {
                    SplitPattern pattern = pattern(part.get("pattern"));
                    String content = text(part.get("content"));
                    stages.add(next -> new ReplaceStage(pattern, content, next));
                }
                case "Prepend" -> {
                    String prefix = text(part.get("prepend"));
                    if (!prefix.isEmpty()) {
                        stages.add(next -> new PrependStage(prefix, PrependStage.When.ALWAYS, next));
                    }
                }
                case "Strip" -> {
                    boolean left = part.get("strip_left").bool(true);
                    boolean right = part.get("strip_right").bool(true);
                    stages.add(next -> new StripStage(left, right, next));
                }
                default ->
                    throw type.unsupported(
                            "NFC, NFD, NFKC, NFKD, Lowercase, Replace, Prepend, Strip and Sequences of them");
            }
        }
        return stages;
    }

    /** Whether a pre-tokeniser turns text into the bytes' alphabet. */
    static boolean isByteLevel(JsonPart preTokenizer) throws TokenizerException {
        List<JsonPart> parts = new ArrayList<>();
        flatten(preTokenizer, "pretokenizers", parts);
        for (JsonPart part : parts) {
            if (part.get("type").string().equals("ByteLevel")) {
                return true;
            }
        }
        return false;
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
                        stages.add(next -> new PrependStage(" ", PrependStage.When.IF_MISSING, next));
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
                            new CharPattern(CharClass::isNumber),
                            individual ? SplitStage.Behavior.ISOLATED : SplitStage.Behavior.CONTIGUOUS,
                            false));
                }
                case "Punctuation" -> {
                    JsonPart behavior = part.get("behavior");
                    stages.add(split(
                            new CharPattern(CharClass::isPunctuation),
                            behavior.isNull() ? SplitStage.Behavior.ISOLATED : behavior(behavior),
                            false));
                }
                case "WhitespaceSplit" ->
                    stages.add(split(
                            new CharPattern(c -> c < 0x10000 && CharClass.isSpace((char) c)),
                            SplitStage.Behavior.REMOVED,
                            false));
                case "Whitespace" -> stages.add(split(new WhitespacePattern(), SplitStage.Behavior.REMOVED, true));
                case "Metaspace" -> metaspace(part, stages);
                default ->
                    throw type.unsupported(
                            "ByteLevel, Split, Digits, Punctuation, Whitespace, WhitespaceSplit, Metaspace"
                                    + " and Sequences of them");
            }
        }
        return stages;
    }

    /** Spaces become the replacement, a text gets one in front, and each begins a pretoken. */
    private void metaspace(JsonPart part, List<UnaryOperator<Stage>> stages) throws TokenizerException {
        String replacement = String.valueOf(metaspaceChar(part));
        stages.add(next -> new ReplaceStage(new LiteralPattern(" "), replacement, next));
        String scheme = metaspaceScheme(part);
        if (!scheme.equals("never")) {
            boolean first = scheme.equals("first");
            file.looksAtFirstStretch |= first;
            PrependStage.When when = first ? PrependStage.When.FIRST_IF_MISSING : PrependStage.When.IF_MISSING;
            stages.add(next -> new PrependStage(replacement, when, next));
        }
        if (part.get("split").bool(true)) {
            stages.add(split(new LiteralPattern(replacement), SplitStage.Behavior.MERGED_WITH_NEXT, false));
        }
    }

    private static char metaspaceChar(JsonPart part) throws TokenizerException {
        String replacement = part.get("replacement").string();
        if (replacement.length() != 1) {
            throw part.get("replacement").expected("one character of the Basic Multilingual Plane");
        }
        return replacement.charAt(0);
    }

    /** always, first or never; files of old versions have {@code add_prefix_space} instead. */
    private static String metaspaceScheme(JsonPart part) throws TokenizerException {
        JsonPart scheme = part.get("prepend_scheme");
        if (scheme.isNull()) {
            return part.get("add_prefix_space").bool(true) ? "always" : "never";
        }
        if (!List.of("always", "first", "never").contains(scheme.string())) {
            throw scheme.expected("always, first or never");
        }
        return scheme.string();
    }

    private static String text(JsonPart part) throws TokenizerException {
        String text = part.string();
        if (text.length() > TokenizerLimits.ADDED_TOKEN_CHARS) {
            throw new TokenizerException(
                    part.where(),
                    "has " + text.length() + " characters, expected at most " + TokenizerLimits.ADDED_TOKEN_CHARS);
        }
        return text;
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

    /**
     * Reads the decoder. A byte-level vocabulary has a ByteLevel one, which null stands for as well; others have steps for
     * each token, then Fuse, then steps for the whole text, of which a stream can do a Strip of the beginning.
     */
    TokenText decoder(JsonPart decoder) throws TokenizerException {
        List<JsonPart> parts = new ArrayList<>();
        flatten(decoder, "decoders", parts);
        if (file.byteLevel) {
            for (JsonPart part : parts) {
                JsonPart type = part.get("type");
                if (!type.string().equals("ByteLevel") && !type.string().equals("Fuse")) {
                    throw type.unsupported("ByteLevel and Fuse, after a ByteLevel pre-tokenizer");
                }
            }
            return TokenText.BYTE_LEVEL;
        }
        if (parts.isEmpty()) {
            return TokenText.SPACED;
        }
        List<UnaryOperator<String>> steps = new ArrayList<>();
        char metaspace = 0;
        boolean dropsFirst = false;
        boolean byteFallback = false;
        boolean fused = false;
        char leading = 0;
        int leadingCount = 0;
        for (JsonPart part : parts) {
            JsonPart type = part.get("type");
            boolean whole = fused || byteFallback;
            switch (type.string()) {
                case "Fuse" -> fused = true;
                case "ByteFallback" -> {
                    if (whole) {
                        throw type.unsupported("one ByteFallback, before Fuse");
                    }
                    byteFallback = true;
                }
                case "Replace" -> {
                    if (whole || part.get("pattern").get("String").isNull()) {
                        throw type.unsupported("Replace of a String, before ByteFallback and Fuse");
                    }
                    String pattern = text(part.get("pattern").get("String"));
                    String content = text(part.get("content"));
                    steps.add(token -> token.replace(pattern, content));
                }
                case "Strip" -> {
                    int start = part.get("start").id();
                    int stop = part.get("stop").id();
                    String content = part.get("content").string();
                    if (content.length() != 1) {
                        throw part.get("content").expected("one character of the Basic Multilingual Plane");
                    }
                    if (!whole) {
                        steps.add(token -> strip(token, content.charAt(0), start, stop));
                    } else if (!fused || stop > 0 || leadingCount > 0) {
                        throw type.unsupported("one Strip of the beginning after Fuse");
                    } else {
                        leading = content.charAt(0);
                        leadingCount = start;
                    }
                }
                case "Metaspace" -> {
                    if (whole || metaspace != 0) {
                        throw type.unsupported("one Metaspace, before ByteFallback and Fuse");
                    }
                    metaspace = metaspaceChar(part);
                    dropsFirst = !metaspaceScheme(part).equals("never");
                }
                default ->
                    throw type.unsupported("ByteFallback, Fuse, Replace, Strip, Metaspace and Sequences of them"
                            + " without a ByteLevel pre-tokenizer");
            }
        }
        return new TokenText(false, steps, metaspace, dropsFirst, byteFallback, "", leading, leadingCount);
    }

    private static String strip(String token, char content, int start, int stop) {
        int from = 0;
        while (from < Math.min(start, token.length()) && token.charAt(from) == content) {
            from++;
        }
        int to = token.length();
        while (to > Math.max(from, token.length() - stop) && token.charAt(to - 1) == content) {
            to--;
        }
        return token.substring(from, to);
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
