package dev.xlstm.sampling;

import java.util.StringJoiner;

/** The last N ids of a sequence: a ring. */
final class RecentIds {

    private final int[] ring; // [N]
    private long added;

    RecentIds(int capacity) {
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

    void add(int id) {
        ring[(int) (added % ring.length)] = id;
        added++;
    }

    void clear() {
        added = 0;
    }

    /** The ids from the oldest to the newest, with blanks between. */
    String save() {
        StringJoiner ids = new StringJoiner(" ");
        for (int back = size() - 1; back >= 0; back--) {
            ids.add(Integer.toString(get(back)));
        }
        return ids.toString();
    }
}
