package io.millrace.event;

import javax.annotation.Nullable;

/** One Kafka header; a key may repeat. */
public record Header(String key, @Nullable byte[] value) {}
