package io.millrace.codec.arrow;

import javax.annotation.Nullable;

/**
 * A record that is not readable Arrow data.
 *
 * @param reason the code of its {@link ArrowRejection.Reason}
 * @param detail what was found, in one line
 * @param value all bytes as received, null for a tombstone
 */
public record ArrowDeadLetter(String reason, String detail, @Nullable byte[] value) {}
