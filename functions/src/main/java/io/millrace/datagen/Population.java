package io.millrace.datagen;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Who the users are: activity, device, app version, country, all derived from seed and index. */
final class Population {
  private static final String[] VERSIONS = {
    "4.0.2", "4.1.0", "4.2.0", "4.2.1", "4.3.0", "5.0.0", "5.0.1", "5.1.0"
  };

  /** Weight, device type, then the versions of its operating system. */
  private static final String[][] DEVICES = {
    {"18", "iphone_15", "17.2", "17.4", "18.1"},
    {"14", "iphone_13", "16.7", "17.4"},
    {"6", "iphone_se", "15.8", "16.7"},
    {"13", "galaxy_s24", "14", "15"},
    {"12", "galaxy_a54", "13", "14"},
    {"8", "pixel_8", "14", "15"},
    {"9", "redmi_note_12", "12", "13"},
    {"5", "moto_g84", "13", "14"},
    {"4", "oneplus_11", "13", "14"},
    {"4", "ipad_air", "16.7", "17.4"},
    {"3", "galaxy_tab_s9", "13", "14"},
    {"4", "web", "chrome_120", "safari_17", "firefox_121"},
  };

  /** Weight, country, then regions with a city; an empty one leaves both out. */
  private static final String[][] COUNTRIES = {
    {"22", "US", "California/Los Angeles", "New York/New York", "Texas/Austin", "", "", ""},
    {"14", "IN", "Maharashtra/Mumbai", "Karnataka/Bengaluru", "", "", ""},
    {"8", "BR", "São Paulo/São Paulo", "Bahia/Salvador", "", ""},
    {"6", "DE", "Bayern/München", "Berlin/Berlin", "", ""},
    {"6", "GB", "England/London", "", ""},
    {"5", "JP", "東京都/東京", "Osaka/Osaka", ""},
    {"5", "ID", "Jakarta/Jakarta", ""},
    {"4", "MX", "Jalisco/Guadalajara", ""},
    {"4", "FR", "Île-de-France/Paris", ""},
    {"3", "TR", "İstanbul/İstanbul", ""},
    {"3", "VN", ""},
    {"3", "PH", ""},
    {"2", "IT", "Lazio/Roma"},
    {"2", "ES", "Madrid/Madrid"},
    {"2", "NG", "Lagos/Lagos"},
    {"2", "PL", ""},
    {"2", "CA", "Québec/Montréal", "Ontario/Toronto"},
    {"2", "KR", "Seoul/Seoul"},
    {"1", "AU", "Victoria/Melbourne"},
    {"1", "NL", ""},
    {"1", "SE", ""},
    {"1", "CH", "Zürich/Zürich"},
    {"1", "ZA", ""},
    {"1", "EG", ""},
    {"1", "AR", ""},
  };

  private static final int NEW_USER_PERCENT = 30;

  private final long seed;
  private final int users;
  private final double logOfUsers;
  private final long startMs;
  private final long spanMs;
  private final int[] deviceWheel = wheel(DEVICES);
  private final int[] countryWheel = wheel(COUNTRIES);
  private final byte[][][][] devices = new byte[DEVICES.length][][][];
  private final byte[][][] places = new byte[COUNTRIES.length][][];

  Population(SimulatorOptions options) {
    this.seed = Dice.of(options.seed(), 1);
    this.users = options.users();
    this.logOfUsers = StrictMath.log(users + 1.0);
    this.startMs = options.start().toEpochMilli();
    this.spanMs = options.span().toMillis();
    for (int device = 0; device < DEVICES.length; device++) {
      devices[device] = new byte[DEVICES[device].length - 2][VERSIONS.length][];
      for (int os = 0; os < devices[device].length; os++) {
        for (int version = 0; version < VERSIONS.length; version++) {
          devices[device][os][version] = deviceInfo(DEVICES[device], os, VERSIONS[version]);
        }
      }
    }
    for (int country = 0; country < COUNTRIES.length; country++) {
      places[country] = new byte[COUNTRIES[country].length - 2][];
      for (int place = 0; place < places[country].length; place++) {
        places[country][place] = geoLocation(COUNTRIES[country], place);
      }
    }
  }

  /** A user by Zipf's law: the second is half as active as the first, and so on. */
  int anyByActivity(Dice dice) {
    int rank = (int) StrictMath.exp(dice.fraction() * logOfUsers);
    return Math.min(users, rank) - 1;
  }

  byte[] id(int user) {
    return JsonBytes.base32('u', Dice.of(seed, user));
  }

  /** Whether the user's first activity falls into the simulated time. */
  boolean isNew(int user) {
    return trait(user, 1, 100) < NEW_USER_PERCENT;
  }

  /** How the user's client writes times: mostly UTC text, else epoch ms, or text with an offset. */
  int timeFormat(int user) {
    return trait(user, 2, 20);
  }

  /** {@code device_info} with the app version that the user has at that time. */
  byte[] deviceInfo(int user, long time) {
    int device = deviceWheel[trait(user, 3, deviceWheel.length)];
    byte[][][] systems = devices[device];
    int version = trait(user, 4, 6);
    // Three of four users upgrade within the span, half of these twice.
    version += time > startMs + spanMs / 100 * trait(user, 5, 133) ? 1 : 0;
    version += time > startMs + spanMs / 100 * trait(user, 6, 266) ? 1 : 0;
    return systems[trait(user, 7, systems.length)][version];
  }

  byte[] geoLocation(int user) {
    byte[][] choices = places[countryWheel[trait(user, 8, countryWheel.length)]];
    return choices[trait(user, 9, choices.length)];
  }

  private int trait(int user, int which, int bound) {
    long number = Dice.mix(Dice.of(seed, user) + which);
    return (int) (((number >>> 32) * bound) >>> 32);
  }

  private static int[] wheel(String[][] weighted) {
    List<Integer> slots = new ArrayList<>();
    for (int i = 0; i < weighted.length; i++) {
      for (int slot = Integer.parseInt(weighted[i][0]); slot > 0; slot--) {
        slots.add(i);
      }
    }
    return slots.stream().mapToInt(i -> i).toArray();
  }

  private static byte[] deviceInfo(String[] device, int os, String version) {
    return bytes(
        ",\"device_info\":{\"device_type\":\""
            + device[1]
            + "\",\"os_version\":\""
            + device[2 + os]
            + "\",\"app_version\":\""
            + version
            + "\"}");
  }

  private static byte[] geoLocation(String[] country, int place) {
    String[] regionAndCity = country[2 + place].split("/", -1);
    String more =
        regionAndCity.length < 2
            ? ""
            : "\",\"region\":\"" + regionAndCity[0] + "\",\"city\":\"" + regionAndCity[1];
    return bytes(",\"geo_location\":{\"country\":\"" + country[1] + more + "\"}");
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
