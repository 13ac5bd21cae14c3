package dev.xlstm.hub;

import java.io.IOException;
import java.util.concurrent.CancellationException;

/** When a failed request for a file is made again, and for which address: signed addresses expire. */
final class Retries {

    private static final int MAX_ATTEMPTS = 6; // in a row, without progress
    private static final long MAX_WAIT_MILLIS = 300_000;

    private final HubClient client;
    private final String id;
    private final TransferListener listener;
    private volatile RemoteFile file;

    Retries(HubClient client, String id, RemoteFile file, TransferListener listener) {
        this.client = client;
        this.id = id;
        this.file = file;
        this.listener = listener;
    }

    /** The file with its latest address. */
    RemoteFile file() {
        return file;
    }

    void checkCancelled() {
        checkCancelled(listener);
    }

    private static void checkCancelled(TransferListener listener) {
        if (listener.cancelled()) {
            throw new CancellationException();
        }
    }

    /**
     * Waits before the next attempt, longer each time.
     *
     * @param attempt failed ones before this one, in a row
     * @throws IOException the failure, if it is not worth an attempt or has come too often
     */
    void await(IOException e, int attempt) throws IOException, InterruptedException {
        pause(e, attempt, file, client.settings(), listener);
        if (e instanceof HubException.Retryable) {
            describeAgain();
        }
    }

    /** As {@link #await}, without a new address. */
    static void pause(IOException e, int attempt, RemoteFile file, HubSettings settings, TransferListener listener)
            throws IOException, InterruptedException {
        checkCancelled(listener);
        if (e instanceof HubException && !(e instanceof HubException.Retryable)) {
            throw e;
        }
        String reason = e.getMessage() == null ? "the connection broke" : e.getMessage();
        long asked = e instanceof HubException.Retryable r ? r.retryAfterSeconds() * 1000 : 0;
        if (attempt + 1 >= MAX_ATTEMPTS || asked > MAX_WAIT_MILLIS) {
            throw new HubException(
                    (reason.contains(file.path()) ? "" : file.path() + ": ") + reason + "; gave up after "
                            + (attempt + 1) + " attempts. What has arrived is kept: run the command again to go on",
                    e);
        }
        long wait = Math.max(asked, settings.backOff().toMillis() << attempt);
        listener.retry(file, reason, wait);
        for (long until = System.nanoTime() + wait * 1_000_000; System.nanoTime() < until; ) {
            checkCancelled(listener);
            Thread.sleep(Math.clamp((until - System.nanoTime()) / 1_000_000, 1, 100));
        }
    }

    private void describeAgain() throws IOException, InterruptedException {
        RemoteFile before = file;
        RemoteFile now;
        try {
            now = client.describe(id, before.commit(), before.path());
        } catch (HubException.Retryable e) {
            return; // the next attempt will tell
        }
        if (!now.etag().equals(before.etag()) || now.size() != before.size()) {
            throw new HubException.Changed(before.path() + ": the file on the hub changed during the transfer");
        }
        file = new RemoteFile(before.path(), before.etag(), before.size(), before.commit(), now.location());
    }
}
