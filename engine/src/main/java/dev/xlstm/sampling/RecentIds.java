package dev.xlstm.sampling;

import java.util.StringJoiner;

/** The last N ids of a sequence, in a ring: constant memory, however long the sequence gets. */
public final class RecentIds {

    private final int[] ring; // [N]
    private long added;

    public RecentIds(int capacity) {
        ring = new int[capacity];
    }

    int size() {
        return (int) Math.min(added, ring.length);
    }

    boolean isFull() {
        return added >= ring.length;
    }

    /** The id {@code back} places before the newest one, which is 0. */
    int get(int back) {
        return ring[(int) ((added - 1 - back) % ring.length)];
    }

    /** The id that the next one pushes out. */
    int oldest() {
        return get(size() - 1);
    }

    public void add(int id) {
        ring[(int) (added % ring.length)] = id;
        added++;
    }

    /** How many ids have been added, those pushed out included. */
    public long added() {
        return added;
    }

    /** The ids that are left of those added at index {@code from} and later, oldest first. */
    public int[] since(long from) {
        int[] ids = new int[(int) Math.max(0, Math.min(added - from, size()))];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = get(ids.length - 1 - i);
        }
        return ids;
    }

    void clear() {
        added = 0;
    }

    /** Becomes a copy of another ring of the same capacity. */
    public void copyFrom(RecentIds other) {
        System.arraycopy(other.ring, 0, ring, 0, ring.length);
        added = other.added;
    }

    /** The ids from the oldest to the newest, with blanks between. */
    String save() {
        StringJoiner ids = new StringJoiner(" ");
        for (int id : since(0)) {
            ids.add(Integer.toString(id));
        }
        return ids.toString();
    }
}
