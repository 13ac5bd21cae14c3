package dev.xlstm.hub;

/** Follows a transfer, on the threads that run it. */
public interface TransferListener {

    /** More bytes are on disk; negative where parts have to be fetched again. */
    void transferred(RemoteFile file, long bytes);

    /** A request failed and will be tried again after a wait. */
    default void retry(RemoteFile file, String reason, long waitMillis) {}

    /** Asked often; true ends the transfer, what is on disk stays for the next one. */
    boolean cancelled();
}
