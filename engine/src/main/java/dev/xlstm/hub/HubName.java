package dev.xlstm.hub;

import dev.xlstm.error.BadRequestException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A model on the hub: {@code ORG/NAME}, {@code ORG/NAME@REVISION}, either with a directory of the repository behind it.
 *
 * @param id {@code ORG/NAME}
 * @param revision branch, tag or commit
 * @param subdirectory empty for the top of the repository
 */
public record HubName(String id, String revision, String subdirectory) {

    private static final Pattern FORM =
            Pattern.compile("(NAME/NAME)(?:@(NAME))?((?:/NAME)*)".replace("NAME", "[A-Za-z0-9][A-Za-z0-9._-]*"));
    private static final int MAX_LENGTH = 512;

    /** @throws BadRequestException if the text has another form */
    public static HubName parse(String text) {
        Matcher name = FORM.matcher(text);
        if (text.length() > MAX_LENGTH || !name.matches()) {
            throw new BadRequestException("'" + text
                    + "' is not the name of a model on the hub; it has the form ORG/NAME, such as NX-AI/xLSTM-7b");
        }
        String revision = name.group(2) == null ? "main" : name.group(2);
        String below = name.group(3);
        return new HubName(name.group(1), revision, below.isEmpty() ? "" : below.substring(1));
    }
}
