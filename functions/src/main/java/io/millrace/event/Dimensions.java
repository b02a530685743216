package io.millrace.event;

import javax.annotation.Nullable;

/**
 * What the dimension adds to an event: the {@code dim_*} columns.
 *
 * @param deviceClass for example phone or tablet, by {@code device_type}
 * @param deviceVendor by {@code device_type}
 * @param countryName by {@code country}
 * @param market by {@code country}
 * @param version the dimension's version that was looked up
 */
public record Dimensions(
    @Nullable String deviceClass,
    @Nullable String deviceVendor,
    @Nullable String countryName,
    @Nullable String market,
    @Nullable String version) {
  /** No dimension is configured, or it knows neither the device nor the country. */
  public static final Dimensions NONE = new Dimensions(null, null, null, null, null);
}
