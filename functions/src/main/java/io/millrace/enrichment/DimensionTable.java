package io.millrace.enrichment;

import io.millrace.event.Dimensions;
import io.millrace.event.Event;
import java.util.Map;
import javax.annotation.Nullable;

/**
 * One version of the dimension, whole: devices by {@code device_type}, countries by {@code
 * country}. Broadcast state of {@link Enrich}; components are only ever added, at the end.
 *
 * @param version names the content: equal content has an equal version
 */
public record DimensionTable(
    String version, Map<String, DeviceRow> devices, Map<String, CountryRow> countries) {

  /** What is known of a device type. */
  public record DeviceRow(@Nullable String deviceClass, @Nullable String vendor) {}

  /** What is known of a country. */
  public record CountryRow(@Nullable String name, @Nullable String market) {}

  Dimensions lookUp(Event event) {
    String deviceType = event.device().deviceType();
    String countryCode = event.geo().country();
    DeviceRow device = deviceType == null ? null : devices.get(deviceType);
    CountryRow country = countryCode == null ? null : countries.get(countryCode);
    return new Dimensions(
        device == null ? null : device.deviceClass(),
        device == null ? null : device.vendor(),
        country == null ? null : country.name(),
        country == null ? null : country.market(),
        version);
  }
}
