package dev.xlstm.generation;

import java.util.List;

/**
 * Watches streamed text for stop strings. Text passes as soon as it cannot be the beginning of one; the string that is
 * complete first ends the stream, so the result does not depend on the pieces the text comes in. To look ahead,
 * {@link #copy} the matcher, and roll back by going on with the copy.
 */
final class StopMatcher {

    private final List<String> stops;
    private final StringBuilder held = new StringBuilder();
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
            findComplete();
        }
        if (matched != null) {
            return release(held.length());
        }
        return release(held.length() - possibleStart());
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
            held.setLength(end - matched.length());
        }
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

    /** Whether {@code held[0, end)} ends with the first {@code length} characters of {@code stop}. */
    private boolean endsWith(String stop, int length, int end) {
        if (length > end) {
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
        String text = held.substring(0, length);
        held.delete(0, length);
        return text;
    }

    StopMatcher copy() {
        StopMatcher copy = new StopMatcher(stops);
        copy.held.append(held);
        copy.matched = matched;
        return copy;
    }

    /** The stop string that ended the stream, or null. */
    String matched() {
        return matched;
    }

    /** The text held back so far. */
    String held() {
        return held.toString();
    }

    /** The text still held back, once nothing more can complete a stop string. */
    String finish() {
        return matched == null ? release(held.length()) : "";
    }
}
