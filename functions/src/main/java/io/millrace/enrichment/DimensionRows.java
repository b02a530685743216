package io.millrace.enrichment;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.enrichment.DimensionTable.CountryRow;
import io.millrace.enrichment.DimensionTable.DeviceRow;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import javax.annotation.Nullable;

/**
 * Builds a {@link DimensionTable} from rows of JSON: {@code {"kind":"device","key":"iPhone15,2",
 * "class":"phone","vendor":"Apple"}} or {@code {"kind":"country","key":"DE","name":"Germany",
 * "market":"EMEA"}}. A later row of the same kind and key replaces the earlier one.
 */
public final class DimensionRows {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private final Map<String, DeviceRow> devices = new TreeMap<>();
  private final Map<String, CountryRow> countries = new TreeMap<>();

  /**
   * Adds one row.
   *
   * @param place where it stands, for the message
   * @throws IOException when it is not such a row
   */
  public void add(String json, String place) throws IOException {
    JsonNode row;
    try {
      row = JSON.readTree(json);
    } catch (IOException e) {
      throw new IOException(place + ": not JSON: " + json, e);
    }
    String kind = text(row, "kind");
    String key = text(row, "key");
    if (key == null) {
      throw new IOException(place + ": no key: " + json);
    }
    switch (kind == null ? "" : kind) {
      case "device" -> devices.put(key, new DeviceRow(text(row, "class"), text(row, "vendor")));
      case "country" -> countries.put(key, new CountryRow(text(row, "name"), text(row, "market")));
      default ->
          throw new IOException(
              place + ": kind is '" + kind + "', expected 'device' or 'country': " + json);
    }
  }

  /** The rows so far; the version is a digest of them. */
  public DimensionTable table() {
    String content = "devices=" + devices + "\ncountries=" + countries;
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(content.getBytes(StandardCharsets.UTF_8));
      String version = HexFormat.of().formatHex(digest, 0, 6);
      return new DimensionTable(version, new HashMap<>(devices), new HashMap<>(countries));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  @Nullable
  private static String text(JsonNode row, String field) {
    JsonNode value = row.get(field);
    return value == null || value.isNull() ? null : value.asText();
  }
}
