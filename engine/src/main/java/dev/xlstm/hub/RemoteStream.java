package dev.xlstm.hub;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The bytes of a file in order, for a reader that keeps none of them. Broken connections are continued where they broke; all
 * bytes are hashed, over several runs if need be. Not thread-safe.
 */
public final class RemoteStream implements AutoCloseable {

    private static final int BUFFER_BYTES = 256 << 10;

    private final HubClient client;
    private final RemoteFile file;
    private final TransferListener listener;
    private final Retries retries;
    private final ResumableSha256 hash;
    private final byte[] buffer = new byte[BUFFER_BYTES];
    private HubClient.Body body; // null while there is no connection
    private StallGuard guard; // of the connection
    private String validator;

    /** @param state what {@link #save} gave in an earlier run; null to begin */
    RemoteStream(HubClient client, String id, RemoteFile file, String state, TransferListener listener) {
        this.client = client;
        this.file = file;
        this.listener = listener;
        retries = new Retries(client, id, file, listener);
        hash = state == null ? new ResumableSha256() : ResumableSha256.restore(state);
    }

    /** How many bytes have been read. */
    public long position() {
        return hash.length();
    }

    /** What {@link Hub#stream} needs to go on from here in a later run. */
    public String save() {
        return hash.save();
    }

    /** Fills a segment with the next bytes. */
    public void read(MemorySegment target) throws IOException, InterruptedException {
        long at = 0;
        for (int attempt = 0; at < target.byteSize(); ) {
            try {
                connect();
                int count = body.in().read(buffer, 0, (int) Math.min(buffer.length, target.byteSize() - at));
                retries.checkCancelled();
                if (count < 0) {
                    throw new EOFException("the connection ended early");
                }
                guard.arrived();
                MemorySegment.copy(buffer, 0, target, ValueLayout.JAVA_BYTE, at, count);
                hash.update(MemorySegment.ofArray(buffer).asSlice(0, count));
                at += count;
                attempt = 0;
                listener.transferred(file, count);
            } catch (HubException.Changed e) {
                throw e;
            } catch (IOException e) {
                disconnect();
                retries.await(e, attempt++);
            }
        }
    }

    private void connect() throws IOException, InterruptedException {
        if (body != null) {
            guard.arrived();
            return;
        }
        HubClient.Body opened = client.open(retries.file(), hash.length(), file.size(), validator);
        try {
            boolean changed = opened.total() >= 0 && opened.total() != file.size()
                    || validator != null && opened.validator() != null && !validator.equals(opened.validator());
            if (changed) {
                throw new HubException.Changed(file.path() + ": the server's content changed during the transfer");
            }
            validator = opened.validator();
            guard = new StallGuard(opened.in(), client.settings().stall(), listener);
            if (!opened.isRange()) {
                opened.in().skipNBytes(hash.length());
            }
            body = opened;
        } catch (Throwable e) {
            opened.close();
            throw e;
        }
    }

    private void disconnect() throws IOException {
        if (guard != null) {
            guard.close();
            guard = null;
        }
        if (body != null) {
            body.close();
            body = null;
        }
    }

    /**
     * Verifies what was read, which must be the whole file.
     *
     * @throws HubException.WrongContent if it is not the content that the hub announced
     */
    public void verify() throws HubException {
        if (file.etag().matches("[0-9a-f]{64}") && !hash.finish().equals(file.etag())) {
            throw new HubException.WrongContent(
                    file.path() + ": the content received does not match its name on the hub, " + file.etag()
                            + "; nothing of it is kept. Run the command again");
        }
    }

    @Override
    public void close() throws IOException {
        disconnect();
    }
}
