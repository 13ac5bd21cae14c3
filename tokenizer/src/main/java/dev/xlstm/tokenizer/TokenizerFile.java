package dev.xlstm.tokenizer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.json.JsonFactory;

/**
 * Reads a tokenizer.json: the large parts (vocabulary, merges, added tokens) as a stream, the small ones as
 * {@link JsonPart}s. Checks every part; an unsupported one is refused by name. {@code truncation} and {@code padding} belong
 * to the batches of a training pipeline and are skipped.
 */
final class TokenizerFile {
    Vocabulary vocabulary;
    final Map<String, AddedToken> added = new LinkedHashMap<>(); // by content
    boolean byteLevel;
    LongMap merges; // null for WordLevel
    int unknown = -1;
    boolean fuseUnknown;
    boolean byteFallback;
    boolean ignoreMerges;
    final BitSet merged = new BitSet(); // ids that merging can make
    List<UnaryOperator<Stage>> normalizers = List.of();
    List<UnaryOperator<Stage>> preTokenizers;
    boolean looksAtFirstStretch; // some pre-tokeniser treats the beginning of a text differently
    TokenText tokenText;
    int[] templatePrefix = {};
    int[] templateSuffix = {};

    private final String file;
    private byte[] scratch = new byte[2 * TokenizerLimits.TOKEN_CHARS];
    private boolean sawVocabulary;
    private boolean modelSkipped; // it came before the pre-tokeniser, which decides how tokens are spelled
    private boolean mergesSkipped; // they came before the vocabulary
    private JsonPart unknownToken;
    private JsonPart normalizer;
    private JsonPart preTokenizer;
    private JsonPart postProcessor;
    private JsonPart decoder;

    private TokenizerFile(Path path) {
        file = path.toString();
    }

    static TokenizerFile read(Path path) throws TokenizerException {
        TokenizerFile result = new TokenizerFile(path);
        byte[] json = bytes(path);
        try {
            try (JsonParser parser = parser(json)) {
                result.readAll(parser);
            }
            if (result.modelSkipped) {
                try (JsonParser parser = parser(json)) {
                    parser.nextToken();
                    enter(parser, "model");
                    result.readModel(parser);
                }
            }
            if (result.mergesSkipped) {
                try (JsonParser parser = parser(json)) {
                    result.readMergesAgain(parser);
                }
            }
        } catch (JacksonException e) {
            String at =
                    e.getLocation() == null ? "" : " at line " + e.getLocation().getLineNr();
            String message = e.getOriginalMessage().lines().findFirst().orElse("");
            throw new TokenizerException(
                    result.file, "not valid JSON" + at + " (" + message + "); fetch the file again", e);
        }
        result.check();
        return result;
    }

    private static byte[] bytes(Path path) throws TokenizerException {
        try {
            if (Files.exists(path) && !Files.isRegularFile(path)) {
                throw new TokenizerException(path.toString(), "not a regular file; name a tokenizer.json");
            }
            long size = Files.size(path);
            if (size > TokenizerLimits.FILE_BYTES) {
                throw new TokenizerException(
                        path.toString(),
                        size + " bytes, more than the " + TokenizerLimits.FILE_BYTES + " a tokenizer.json may have");
            }
            return Files.readAllBytes(path);
        } catch (TokenizerException e) {
            throw e;
        } catch (NoSuchFileException e) {
            throw new TokenizerException(path.toString(), "no such file; name a tokenizer.json", e);
        } catch (IOException e) {
            throw new TokenizerException(path.toString(), "cannot be read (" + e + ")", e);
        }
    }

    private static JsonParser parser(byte[] json) {
        StreamReadConstraints constraints = StreamReadConstraints.builder()
                .maxNestingDepth(TokenizerLimits.JSON_DEPTH)
                .maxNameLength(TokenizerLimits.FILE_BYTES)
                .maxStringLength(TokenizerLimits.FILE_BYTES)
                .maxNumberLength(32)
                .build();
        // names are tokens here: each comes once, so keeping them for reuse would only cost
        return JsonFactory.builder()
                .streamReadConstraints(constraints)
                .disable(TokenStreamFactory.Feature.INTERN_PROPERTY_NAMES)
                .disable(TokenStreamFactory.Feature.CANONICALIZE_PROPERTY_NAMES)
                .build()
                .createParser(ObjectReadContext.empty(), json);
    }

    private void readAll(JsonParser parser) throws TokenizerException {
        if (parser.nextToken() != JsonToken.START_OBJECT) {
            throw new TokenizerException(file, "not a JSON object; name a tokenizer.json");
        }
        Set<String> seen = new HashSet<>();
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            String name = parser.currentName();
            parser.nextToken();
            String where = file + ": " + name;
            switch (name) {
                case "model" -> {
                    if (preTokenizer == null) {
                        modelSkipped = true;
                        parser.skipChildren();
                    } else {
                        readModel(parser);
                    }
                }
                case "added_tokens" -> readAddedTokens(parser);
                case "normalizer" -> normalizer = JsonPart.read(where, parser);
                case "pre_tokenizer" -> preTokenizer = JsonPart.read(where, parser);
                case "post_processor" -> postProcessor = JsonPart.read(where, parser);
                case "decoder" -> decoder = JsonPart.read(where, parser);
                default -> {
                    parser.skipChildren();
                    continue; // version, truncation, padding and what may come
                }
            }
            once(file, seen, name);
        }
        if (!seen.contains("model")) {
            throw new TokenizerException(file, "model: missing; name a tokenizer.json");
        }
    }

    private static void once(String where, Set<String> seen, String name) throws TokenizerException {
        if (!seen.add(name)) {
            throw new TokenizerException(where, name + ": is there twice; remove one");
        }
    }

    private void readModel(JsonParser parser) throws TokenizerException {
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            throw new TokenizerException(file, "model: not an object; expected a BPE or WordLevel model");
        }
        byteLevel = preTokenizer != null && ComponentReader.isByteLevel(preTokenizer);
        vocabulary = new Vocabulary(byteLevel);
        String kind = "BPE"; // files of old versions do not say
        Set<String> seen = new HashSet<>();
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            String name = parser.currentName();
            parser.nextToken();
            String where = file + ": model." + name;
            switch (name) {
                case "vocab" -> readVocabulary(where, parser);
                case "merges" -> {
                    if (sawVocabulary) {
                        readMerges(where, parser);
                    } else {
                        mergesSkipped = true;
                        parser.skipChildren();
                    }
                }
                case "type" -> {
                    JsonPart type = JsonPart.read(where, parser);
                    kind = type.string();
                    if (!kind.equals("BPE") && !kind.equals("WordLevel")) {
                        throw type.unsupported("BPE and WordLevel");
                    }
                }
                case "dropout" -> {
                    JsonPart dropout = JsonPart.read(where, parser);
                    if (!dropout.isNull() && !(dropout.value() instanceof Number number && number.doubleValue() == 0)) {
                        throw dropout.unsupported("null");
                    }
                }
                case "continuing_subword_prefix", "end_of_word_suffix" -> {
                    JsonPart affix = JsonPart.read(where, parser);
                    if (!affix.isNull() && !affix.string().isEmpty()) {
                        throw affix.unsupported("null");
                    }
                }
                case "ignore_merges" ->
                    ignoreMerges = JsonPart.read(where, parser).bool(false);
                case "unk_token" -> unknownToken = JsonPart.read(where, parser);
                case "fuse_unk" -> fuseUnknown = JsonPart.read(where, parser).bool(false);
                case "byte_fallback" ->
                    byteFallback = JsonPart.read(where, parser).bool(false);
                default -> {
                    parser.skipChildren();
                    continue;
                }
            }
            once(file + ": model", seen, name);
        }
        for (String name : kind.equals("BPE") ? List.of("vocab", "merges") : List.of("vocab")) {
            if (!seen.contains(name)) {
                throw new TokenizerException(
                        file, "model." + name + ": missing; a " + kind + " model needs it, fetch the file again");
            }
        }
        if (kind.equals("WordLevel")) {
            merges = null;
            mergesSkipped = false;
        }
        readUnknown(kind);
    }

    private void readUnknown(String kind) throws TokenizerException {
        if (unknownToken == null || unknownToken.isNull()) {
            return;
        }
        String token = unknownToken.string();
        unknown = vocabulary.id(token);
        // WordLevel files name a default that need not exist; BPE fails where it comes upon an unknown character
        if (unknown < 0 && kind.equals("BPE") && !byteLevel) {
            throw new TokenizerException(
                    unknownToken.where(),
                    TokenizerException.quote(token) + " is not in model.vocab; add it, or set null");
        }
    }

    /**
     * The char U+2581, if no merge puts it after another char: words that begin with it can then be merged by themselves.
     */
    char wordStart() {
        char start = '\u2581';
        int id = vocabulary.id(String.valueOf(start));
        if (id < 0 || ignoreMerges) {
            return 0;
        }
        for (int merge = merged.nextSetBit(0); merge >= 0; merge = merged.nextSetBit(merge + 1)) {
            String token = vocabulary.name(merge);
            for (int i = 1; i < token.length(); i++) {
                if (token.charAt(i) == start && token.charAt(i - 1) != start) {
                    return 0;
                }
            }
        }
        return start;
    }

    private void readVocabulary(String where, JsonParser parser) throws TokenizerException {
        if (parser.currentToken() == JsonToken.START_ARRAY) {
            throw new TokenizerException(
                    where, "an array, as of a Unigram model, is not supported; there are BPE and WordLevel");
        }
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            throw new TokenizerException(where, "not an object; expected tokens and their ids");
        }
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            String token = parser.currentName();
            checkText(where, token, TokenizerLimits.TOKEN_CHARS);
            boolean number = parser.nextToken() == JsonToken.VALUE_NUMBER_INT;
            if (!number || parser.getNumberType() != JsonParser.NumberType.INT) {
                throw new TokenizerException(
                        where + "." + TokenizerException.quote(token), idExpected(parser.getString()));
            }
            int id = parser.getIntValue();
            if (id < 0 || id >= TokenizerLimits.IDS) {
                throw new TokenizerException(
                        where + "." + TokenizerException.quote(token), idExpected(String.valueOf(id)));
            }
            String problem = vocabulary.add(token, id);
            if (problem != null) {
                throw new TokenizerException(where, problem);
            }
        }
        sawVocabulary = true;
    }

    private static String idExpected(String found) {
        return "found " + TokenizerException.quote(found).replace("\"", "") + ", expected an id from 0 to "
                + (TokenizerLimits.IDS - 1);
    }

    private static void checkText(String where, String text, int maxChars) throws TokenizerException {
        if (text.length() > maxChars) {
            throw new TokenizerException(
                    where,
                    TokenizerException.quote(text) + " has " + text.length() + " characters, more than " + maxChars);
        }
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isSurrogate(c)) {
                if (Character.isLowSurrogate(c) || ++i == text.length() || !Character.isLowSurrogate(text.charAt(i))) {
                    throw new TokenizerException(
                            where, TokenizerException.quote(text) + " has half a surrogate pair; not valid Unicode");
                }
            }
        }
    }

    private void readMergesAgain(JsonParser parser) throws TokenizerException {
        parser.nextToken();
        enter(parser, "model");
        enter(parser, "merges");
        readMerges(file + ": model.merges", parser);
    }

    /** Moves from the start of an object to the value of a field that is there. */
    private static void enter(JsonParser parser, String name) {
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            boolean found = parser.currentName().equals(name);
            parser.nextToken();
            if (found) {
                return;
            }
            parser.skipChildren();
        }
    }

    private void readMerges(String where, JsonParser parser) throws TokenizerException {
        if (parser.currentToken() != JsonToken.START_ARRAY) {
            throw new TokenizerException(where, "not an array; expected \"a b\" or [\"a\", \"b\"] entries");
        }
        merges = new LongMap(vocabulary.count());
        int rank = 0;
        for (; parser.nextToken() != JsonToken.END_ARRAY; rank++) {
            if (rank == TokenizerLimits.MERGES) {
                throw new TokenizerException(where, "more than " + TokenizerLimits.MERGES + " entries");
            }
            if (parser.currentToken() == JsonToken.START_ARRAY) {
                String left = mergeString(where, rank, parser, parser.nextToken());
                String right = mergeString(where, rank, parser, parser.nextToken());
                if (parser.nextToken() != JsonToken.END_ARRAY) {
                    throw badMerge(where, rank);
                }
                addMerge(where, rank, left, right);
                continue;
            }
            String merge = mergeString(where, rank, parser, parser.currentToken());
            if (merge.startsWith("#version")) {
                continue; // the first line of a merges.txt, carried over
            }
            int space = merge.indexOf(' ');
            if (space < 0 || merge.indexOf(' ', space + 1) >= 0) {
                throw badMerge(where, rank);
            }
            addMerge(where, rank, merge.substring(0, space), merge.substring(space + 1));
        }
    }

    private static String mergeString(String where, int rank, JsonParser parser, JsonToken token)
            throws TokenizerException {
        if (token != JsonToken.VALUE_STRING) {
            throw badMerge(where, rank);
        }
        return parser.getString();
    }

    private static TokenizerException badMerge(String where, int rank) {
        return new TokenizerException(where + "[" + rank + "]", "expected \"a b\" or [\"a\", \"b\"]");
    }

    private void addMerge(String where, int rank, String left, String right) throws TokenizerException {
        int leftId;
        int rightId;
        int id;
        if (byteLevel) { // without strings: there are many merges
            int length = left.length() + right.length();
            boolean spelled = length <= scratch.length
                    && ByteAlphabet.bytesOf(left, 0, left.length(), scratch, 0)
                    && ByteAlphabet.bytesOf(right, 0, right.length(), scratch, left.length());
            leftId = spelled ? vocabulary.id(scratch, 0, left.length()) : -1;
            rightId = spelled ? vocabulary.id(scratch, left.length(), length) : -1;
            id = spelled ? vocabulary.id(scratch, 0, length) : -1;
        } else {
            leftId = vocabulary.id(left);
            rightId = vocabulary.id(right);
            id = vocabulary.id(left + right);
        }
        if (leftId < 0 || rightId < 0 || id < 0) {
            String missing = leftId < 0 ? left : rightId < 0 ? right : left + right;
            throw new TokenizerException(
                    where + "[" + rank + "]",
                    TokenizerException.quote(missing) + " is not a token of model.vocab"
                            + (byteLevel ? " in byte-level spelling" : "") + "; fetch the file again");
        }
        merges.put((long) leftId << 32 | rightId, (long) rank << 32 | id);
        merged.set(id);
    }

    private void readAddedTokens(JsonParser parser) throws TokenizerException {
        String where = file + ": added_tokens";
        if (parser.currentToken() == JsonToken.VALUE_NULL) {
            return;
        }
        if (parser.currentToken() != JsonToken.START_ARRAY) {
            throw new TokenizerException(where, "not an array");
        }
        int chars = 0;
        for (int i = 0; parser.nextToken() != JsonToken.END_ARRAY; i++) {
            if (i == TokenizerLimits.ADDED_TOKENS || chars > TokenizerLimits.ADDED_TOKENS_CHARS) {
                throw new TokenizerException(
                        where,
                        "more than " + TokenizerLimits.ADDED_TOKENS + " entries or "
                                + TokenizerLimits.ADDED_TOKENS_CHARS + " characters; is this a tokenizer.json?");
            }
            JsonPart part = JsonPart.read(where + "[" + i + "]", parser);
            String content = part.get("content").string();
            checkText(part.where() + ".content", content, TokenizerLimits.ADDED_TOKEN_CHARS);
            chars += content.length();
            boolean special = part.get("special").bool(false);
            AddedToken token = new AddedToken(
                    part.get("id").id(),
                    content,
                    special,
                    part.get("single_word").bool(false),
                    part.get("lstrip").bool(false),
                    part.get("rstrip").bool(false),
                    part.get("normalized").bool(!special));
            if (content.isEmpty() || added.putIfAbsent(content, token) != null) {
                String what =
                        content.isEmpty() ? "an empty token" : TokenizerException.quote(content) + " is there twice";
                throw new TokenizerException(part.where() + ".content", what + "; remove it");
            }
        }
    }

    private void check() throws TokenizerException {
        BitSet ids = new BitSet();
        for (AddedToken token : added.values()) {
            String where = file + ": added_tokens " + TokenizerException.quote(token.content());
            int known = vocabulary.id(token.content());
            String other = vocabulary.name(token.id());
            if (known >= 0 && known != token.id()) {
                throw new TokenizerException(
                        where, "id " + token.id() + ", but " + known + " in model.vocab; make them agree");
            }
            if (known < 0 && other != null || ids.get(token.id())) {
                throw new TokenizerException(
                        where, "id " + token.id() + " belongs to another token; give it one of its own");
            }
            ids.set(token.id());
        }
        ComponentReader components = new ComponentReader(this);
        if (normalizer != null) {
            normalizers = components.normalizers(normalizer);
        }
        preTokenizers = components.preTokenizers(
                preTokenizer == null ? new JsonPart(file + ": pre_tokenizer", null) : preTokenizer);
        if (postProcessor != null) {
            components.postProcessor(postProcessor);
        }
        tokenText = components.decoder(decoder == null ? new JsonPart(file + ": decoder", null) : decoder);
    }

    /** Highest id + 1. */
    int size() {
        int size = vocabulary.size();
        for (AddedToken token : added.values()) {
            size = Math.max(size, token.id() + 1);
        }
        return size;
    }
}
