package dev.xlstm.jinja;

import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * A Jinja template with the settings that transformers uses for chat templates: {@code trim_blocks},
 * {@code lstrip_blocks}, loop controls, generation blocks and the immutable sandbox. Rendering has no side effects and
 * stays within {@link JinjaLimits}.
 */
public final class Template {

    private final Statement.Block block;

    private Template(Statement.Block block) {
        this.block = block;
    }

    /**
     * @throws JinjaException naming the line, if the text is not a template
     */
    public static Template parse(String text) {
        if (text.length() > JinjaLimits.SOURCE_CHARS) {
            throw new JinjaException("the template is longer than " + JinjaLimits.SOURCE_CHARS + " characters");
        }
        return new Template(Parser.parse(text));
    }

    /**
     * Renders the template.
     *
     * @param names the variables: null, Boolean, Integer, Long, BigInteger, Double, BigDecimal, String,
     *     {@link TrackedString}, Lists and Maps of these, and what {@link #function} returns. A String is trusted.
     * @return the text, with the characters that come from untrusted strings marked as such
     * @throws JinjaException if the template raises an error or exceeds a limit
     */
    public TrackedString render(Map<String, Object> names) {
        Scope scope = Scope.root();
        names.forEach((name, value) -> scope.set(name, Values.of(value)));
        try {
            return block.render(scope);
        } catch (StackOverflowError e) {
            throw new JinjaException("the template is nested too deep");
        }
    }

    /** A function of one string that a template may call. */
    public static Object function(UnaryOperator<String> function) {
        return (Callable) (budget, arguments) -> {
            TrackedString argument = arguments.bind("function", 1, "argument").string(0);
            String result = function.apply(argument.toString());
            budget.chars(result.length());
            return argument.derive(result);
        };
    }
}
