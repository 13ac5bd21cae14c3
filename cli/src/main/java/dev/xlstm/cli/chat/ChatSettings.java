package dev.xlstm.cli.chat;

import dev.xlstm.cli.console.SpellingSuggestion;
import dev.xlstm.generation.GenerationOptions;
import dev.xlstm.sampling.SamplingOptions;
import dev.xlstm.sampling.SamplingParameter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;

/** The settings that {@code /set} changes. */
final class ChatSettings {

    /** The column where descriptions begin in the {@link #table}. */
    static final int TEXT_COLUMN = 34;

    /** A setting: its description, its value in the options, and how to change it. */
    private record Setting(
            String help,
            Function<GenerationOptions, Object> value,
            BiFunction<GenerationOptions, String, GenerationOptions> change) {}

    private static final Map<String, Setting> SETTINGS = new LinkedHashMap<>();

    static {
        for (SamplingParameter parameter : SamplingParameter.values()) {
            sampling(
                    parameter.flag(),
                    parameter.help(),
                    options -> parameter.format(options.get(parameter)),
                    (options, text) -> options.with(
                            parameter, parameter.isWhole() ? Integer.parseInt(text) : Float.parseFloat(text)));
        }
        sampling(
                "seed",
                "of the random draws; each turn adds its number",
                SamplingOptions::seed,
                (options, text) -> options.withSeed(Long.parseLong(text)));
        SETTINGS.put(
                "max-tokens",
                new Setting(
                        "tokens of an answer at most, -1 for no limit",
                        GenerationOptions::maxTokens,
                        (o, v) -> o.withMaxTokens(Integer.parseInt(v))));
        SETTINGS.put(
                "stop",
                new Setting(
                        "text that ends an answer; no value for none",
                        o -> o.stop().isEmpty() ? "(none)" : String.join(" ", o.stop()),
                        (o, v) -> o.withStop(v.isEmpty() ? List.of() : List.of(v))));
    }

    private static void sampling(
            String name,
            String help,
            Function<SamplingOptions, Object> value,
            BiFunction<SamplingOptions, String, SamplingOptions> change) {
        SETTINGS.put(
                name,
                new Setting(
                        help,
                        options -> value.apply(options.sampling()),
                        (options, text) -> options.withSampling(change.apply(options.sampling(), text))));
    }

    private GenerationOptions options;

    ChatSettings(GenerationOptions options) {
        this.options = options;
    }

    GenerationOptions options() {
        return options;
    }

    static Set<String> names() {
        return SETTINGS.keySet();
    }

    /**
     * Changes a setting.
     *
     * @throws IllegalArgumentException in one line, if there is no such setting or the value is out of its range
     */
    void set(String name, String value) {
        Setting setting = SETTINGS.get(name);
        if (setting == null) {
            String all = "there are " + String.join(", ", SETTINGS.keySet());
            throw new IllegalArgumentException(
                    "no setting '" + name + "'; " + SpellingSuggestion.hint(name, SETTINGS.keySet(), all));
        }
        try {
            options = setting.change.apply(options, value);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(name + " takes a number, not '" + value + "'", e);
        }
    }

    /** One line for each setting. */
    String table() {
        StringBuilder table = new StringBuilder();
        SETTINGS.forEach((name, setting) ->
                table.append(String.format("  %-18s %-12s %s%n", name, setting.value.apply(options), setting.help)));
        return table.toString();
    }
}
