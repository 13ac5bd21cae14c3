package dev.xlstm.generation;

import java.util.List;

/**
 * Watches streamed text for stop strings. Text passes as soon as it cannot be the beginning of one; the string that is
 * complete first ends the stream, so the result does not depend on the pieces the text comes in. To look ahead,
 * {@link #copy} the matcher, and roll back by going on with the copy.
 *
 * <p>A special token does not show in the text, but a stop string that contains its spelling matches it. It is one symbol: no
 * stop string begins or ends in the middle of it.
 */
final class StopMatcher {

    private final List<String> stops;
    private final StringBuilder held = new StringBuilder();
    private final StringBuilder kinds = new StringBuilder(); // of held, see HeldText
    private String matched;

    /**
     * @param stops none of them empty
     */
    StopMatcher(List<String> stops) {
        this.stops = stops;
    }

    /**
     * Takes the next piece of text, whole characters.
     *
     * @return what is now certain to be part of the text; up to a stop string, if one is complete
     */
    String append(String piece) {
        if (stops.isEmpty()) {
            return piece;
        }
        for (int i = 0; i < piece.length() && matched == null; i++) {
            held.append(piece.charAt(i));
            kinds.append(HeldText.TEXT);
            findComplete();
        }
        return releaseCertain();
    }

    /** Takes a special token; returns as {@link #append}. */
    String appendSpecial(String spelling) {
        if (stops.isEmpty() || spelling.isEmpty() || matched != null) {
            return "";
        }
        held.append(spelling);
        kinds.append(HeldText.SPECIAL).repeat(HeldText.SPECIAL_REST, spelling.length() - 1);
        findComplete();
        return releaseCertain();
    }

    /** Takes what another matcher held back; returns as {@link #append}. */
    String append(HeldText text) {
        StringBuilder certain = new StringBuilder();
        for (int from = 0, to; from < text.chars().length(); from = to) {
            to = from + 1;
            while (to < text.chars().length() && text.kinds().charAt(to) == HeldText.SPECIAL_REST) {
                to++;
            }
            String symbol = text.chars().substring(from, to);
            certain.append(text.kinds().charAt(from) == HeldText.TEXT ? append(symbol) : appendSpecial(symbol));
        }
        return certain.toString();
    }

    private void findComplete() {
        int end = held.length();
        for (String stop : stops) {
            // of several that end here the longest leaves the text that none of them is part of
            if (endsWith(stop, stop.length(), end) && (matched == null || stop.length() > matched.length())) {
                matched = stop;
            }
        }
        if (matched != null) {
            shorten(end - matched.length());
        }
    }

    private void shorten(int length) {
        held.setLength(length);
        kinds.setLength(length);
    }

    private String releaseCertain() {
        return release(matched == null ? held.length() - possibleStart() : held.length());
    }

    /** The length of the longest end of the held text that a stop string begins with. */
    private int possibleStart() {
        int longest = 0;
        for (String stop : stops) {
            for (int length = Math.min(stop.length() - 1, held.length()); length > longest; length--) {
                if (endsWith(stop, length, held.length())) {
                    longest = length;
                }
            }
        }
        return longest;
    }

    /** Whether {@code held[0, end)} ends with the first {@code length} characters of {@code stop}, and whole symbols. */
    private boolean endsWith(String stop, int length, int end) {
        if (length > end || length > 0 && kinds.charAt(end - length) == HeldText.SPECIAL_REST) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (held.charAt(end - length + i) != stop.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private String release(int length) {
        String text = HeldText.text(held, kinds, length);
        held.delete(0, length);
        kinds.delete(0, length);
        return text;
    }

    StopMatcher copy() {
        StopMatcher copy = new StopMatcher(stops);
        copy.held.append(held);
        copy.kinds.append(kinds);
        copy.matched = matched;
        return copy;
    }

    /** The stop string that ended the stream, or null. */
    String matched() {
        return matched;
    }

    /** What is held back so far. */
    HeldText held() {
        return new HeldText(held.toString(), kinds.toString());
    }

    /** The text still held back, once nothing more can complete a stop string. */
    String finish() {
        return matched == null ? release(held.length()) : "";
    }
}
