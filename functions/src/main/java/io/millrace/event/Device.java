package io.millrace.event;

import javax.annotation.Nullable;

/** The event's own {@code device_info}; every field may be missing. */
public record Device(
    @Nullable String deviceType, @Nullable String osVersion, @Nullable String appVersion) {
  /** Nothing is known of the device. */
  public static final Device UNKNOWN = new Device(null, null, null);
}
