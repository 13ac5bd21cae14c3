package dev.xlstm.hub;

import java.io.IOException;

/** A failed transfer or a damaged cache. The message is one line: the file or address, what is wrong, what to do. */
public class HubException extends IOException {

    private static final long serialVersionUID = 1L;

    public HubException(String message) {
        super(message.replaceAll("\\p{Cc}", "?")); // names and header values come from the network
    }

    public HubException(String message, Throwable cause) {
        super(message.replaceAll("\\p{Cc}", "?"), cause);
    }

    /** The server may succeed if asked again. */
    static final class Retryable extends HubException {

        private static final long serialVersionUID = 1L;

        private final long retryAfterSeconds;

        /**
         * @param retryAfterSeconds the server's Retry-After; 0 if there is none
         */
        Retryable(String message, long retryAfterSeconds) {
            super(message);
            this.retryAfterSeconds = retryAfterSeconds;
        }

        long retryAfterSeconds() {
            return retryAfterSeconds;
        }
    }

    /** The content on the server is no longer what the transfer began with. */
    static final class Changed extends HubException {

        private static final long serialVersionUID = 1L;

        Changed(String message) {
            super(message);
        }
    }

    /** The content received is not what the hub announced. */
    public static final class WrongContent extends HubException {

        private static final long serialVersionUID = 1L;

        WrongContent(String message) {
            super(message);
        }
    }
}
