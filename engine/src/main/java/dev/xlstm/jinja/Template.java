package dev.xlstm.jinja;

import dev.xlstm.jinja.Statement.Block;
import java.util.Map;

/**
 * A Jinja template with {@code trim_blocks}, {@code lstrip_blocks}, loop controls and generation blocks, as Hugging Face
 * tokenizers render chat templates. Rendering has no side effects and ends within fixed bounds of work and text.
 */
public final class Template {

    private final Block block;

    private Template(Block block) {
        this.block = block;
    }

    /**
     * @throws JinjaException naming the line, if the text is no template or uses what is not supported
     */
    public static Template parse(String text) {
        if (text.length() > JinjaLimits.SOURCE_CHARS) {
            throw new JinjaException("the template is longer than " + JinjaLimits.SOURCE_CHARS + " characters");
        }
        return new Template(Parser.parse(text));
    }

    /**
     * @param names what the template sees: null, Boolean, Long, Double, String, and Lists and Maps of these; or a
     *     {@link Function}
     * @throws JinjaException if the template refuses, asks for what is not there, or exceeds its bounds
     */
    public String render(Map<String, Object> names) {
        Scope scope = Scope.of(names);
        try {
            return block.text(scope);
        } catch (StackOverflowError e) {
            throw new JinjaException("the template calls itself too deep");
        }
    }

    /** A function of one string that a template may call. */
    public static Object function(java.util.function.UnaryOperator<String> function) {
        return (Callable) (budget, arguments) -> budget.made(function.apply(arguments.string(0, "argument")));
    }
}
