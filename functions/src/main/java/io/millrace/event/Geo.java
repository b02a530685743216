package io.millrace.event;

import javax.annotation.Nullable;

/** The event's own {@code geo_location}; every field may be missing. */
public record Geo(@Nullable String country, @Nullable String region, @Nullable String city) {
  /** Nothing is known of the place. */
  public static final Geo UNKNOWN = new Geo(null, null, null);
}
