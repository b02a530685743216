package io.millrace.datagen;

import io.millrace.datagen.SimulatedRecord.Fate;
import io.millrace.datagen.SimulatedRecord.Verdict;
import io.millrace.event.RejectReason;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;
import java.util.Comparator;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.PriorityQueue;
import java.util.Set;
import javax.annotation.Nullable;

/**
 * Simulates the clients of an app: a stream of records in the order of their arrival, byte for byte
 * the same for the same options, and the truth about it. Memory holds the open sessions, the
 * records under way and a hash of each valid event, not the stream.
 */
public final class EngagementSimulator implements Iterator<SimulatedRecord> {
  private static final long SECOND = 1000;
  private static final long MINUTE = 60 * SECOND;
  private static final long HOUR = 60 * MINUTE;
  private static final long DAY = 24 * HOUR;

  private static final long[] PAUSES = Dice.logNormal(12 * SECOND, 1.3, 50, 25 * MINUTE);
  private static final long[] DELAYS = Dice.logNormal(900, 1.2, 0, 60 * SECOND);
  private static final long[] LENGTHS = Dice.logNormal(5, 0.9, 1, 150);

  /** A user's next session begins later than any usual session gap. */
  private static final long BREAK = 31 * MINUTE;

  /** Records of an average session, by which the span is kept. */
  private static final double RECORDS_PER_SESSION = 9.35;

  private static final double DAILY_SWING = 0.6;
  private static final int SESSION_END_PERCENT = 85;
  private static final int OPEN_PERCENT = 35;
  private static final int MISSING_SESSION_ID_PERCENT = 2;
  private static final int CYCLES_PER_HUGE_VALUE = 10;

  private static final EventKind INSTALL = new EventKind("install", "install", "campaign", "c");
  private static final EventKind START = new EventKind("session_start", "session", "launch", "l");
  private static final EventKind END = new EventKind("session_end", "session", "reason", "r");
  private static final EventKind VIEW =
      new EventKind("view_notification", "view_notification", "notification_id", "n");
  private static final EventKind OPEN =
      new EventKind("open_notification", "open_notification", "notification_id", "n");

  /** What happens within a session, each as often as it stands here. */
  private static final EventKind[] BODY = {
    new EventKind("screen_view", "session", "screen", "home_"),
    new EventKind("screen_view", "session", "screen", "item_"),
    new EventKind("screen_view", "session", "screen", "list_"),
    new EventKind("tap", "session", "button", "b"),
    new EventKind("tap", "session", "button", "tab_"),
    new EventKind("search", "session", "query_id", "q"),
    new EventKind("add_to_cart", "session", "item", "sku_"),
    new EventKind("purchase", "session", "order", "o"),
    new EventKind("video_play", "session", "video", "v"),
    new EventKind("share", "session", "channel", "c"),
    VIEW,
    VIEW,
  };

  private static final Malformation[] MALFORMATIONS = Malformation.values();
  private static final Set<RejectReason> IN_FUTURE = Set.of(RejectReason.TIMESTAMP_IN_FUTURE);

  private static final class EventKind {
    private final byte[] type;
    private final String topic;
    private final byte[] property;

    EventKind(String type, String topic, String property, String value) {
      this.type = type.getBytes(StandardCharsets.UTF_8);
      this.topic = topic;
      this.property = ("\"" + property + "\":\"" + value).getBytes(StandardCharsets.UTF_8);
    }
  }

  private static final class OpenSession {
    private int user;
    private byte[] userId;
    private byte[] sessionId;
    private byte[] deviceInfo;
    private byte[] geoLocation;
    private EventKind next;
    private long nextTime;
    private long order;
    private int remaining;
    private int notification;
  }

  private record UnderWay(long arrival, long order, SimulatedRecord sent) {}

  private final SimulatorOptions options;
  private final Population population;
  private final Dice dice;
  private final long idSeed;
  private final EventJson json = new EventJson();
  private final Truth.Tally tally = new Truth.Tally();
  private final PriorityQueue<OpenSession> sessions =
      new PriorityQueue<>(
          Comparator.<OpenSession>comparingLong(s -> s.nextTime).thenComparingLong(s -> s.order));
  private final PriorityQueue<UnderWay> underWay =
      new PriorityQueue<>(
          Comparator.comparingLong(UnderWay::arrival).thenComparingLong(UnderWay::order));
  private final long[] freeAgain;
  private final BitSet installed;

  // Shares of what clients first send, from which duplicates are made on top.
  private final double malformedUpTo;
  private final double futureUpTo;
  private final double lateUpTo;
  private final double repeated;

  private final double msPerSession;
  private double nextSessionTime;
  private long eventCount;
  private long orderCount;
  private long malformedCount;
  private long sentCount;

  public EngagementSimulator(SimulatorOptions options) {
    this.options = options;
    this.population = new Population(options);
    this.dice = new Dice(Dice.of(options.seed(), 2));
    this.idSeed = Dice.of(options.seed(), 3);
    this.freeAgain = new long[options.users()];
    this.installed = new BitSet(options.users());
    double original = 1 - options.duplicates();
    this.malformedUpTo = options.malformed() / original;
    this.futureUpTo = malformedUpTo + options.future() / original;
    this.lateUpTo = futureUpTo + options.late() / original;
    this.repeated = options.duplicates() / original / (1 - futureUpTo);
    double sessionCount = Math.max(1, options.events() * original / RECORDS_PER_SESSION);
    this.msPerSession = options.span().toMillis() / sessionCount;
    this.nextSessionTime = options.start().toEpochMilli();
    scheduleNextSession();
  }

  @Override
  public boolean hasNext() {
    return sentCount < options.events();
  }

  @Override
  public SimulatedRecord next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    // Nothing that happens from now on arrives before it happens.
    while (underWay.isEmpty() || underWay.peek().arrival() > nextHappening()) {
      happen();
    }
    UnderWay arrived = underWay.poll();
    SimulatedRecord sent = arrived.sent();
    tally.add(sent, sent.timestamp());
    sentCount++;
    return sent;
  }

  /** The truth about the records returned so far. */
  public Truth truth() {
    return tally.truth();
  }

  private long nextHappening() {
    OpenSession first = sessions.peek();
    return first == null
        ? (long) nextSessionTime
        : Math.min(first.nextTime, (long) nextSessionTime);
  }

  private void happen() {
    OpenSession first = sessions.peek();
    if (first == null || nextSessionTime < first.nextTime) {
      beginSession((long) nextSessionTime);
      scheduleNextSession();
      return;
    }
    OpenSession session = sessions.poll();
    send(session);
    if (advance(session)) {
      session.order = orderCount++;
      sessions.add(session);
    } else {
      freeAgain[session.user] = session.nextTime + BREAK;
    }
  }

  /** Sessions begin at random, with a quiet and a busy time of the day. */
  private void scheduleNextSession() {
    double period = Math.min(DAY, options.span().toMillis());
    double passed = nextSessionTime - options.start().toEpochMilli();
    double rate = 1 - DAILY_SWING * StrictMath.sin(2 * StrictMath.PI * passed / period);
    nextSessionTime += -StrictMath.log(1 - dice.fraction()) * msPerSession / rate;
  }

  private void beginSession(long time) {
    OpenSession session = new OpenSession();
    session.user = freeUser(time);
    session.userId = population.id(session.user);
    session.sessionId = JsonBytes.base32('s', dice.next());
    session.deviceInfo = population.deviceInfo(session.user, time);
    session.geoLocation = population.geoLocation(session.user);
    boolean first = population.isNew(session.user) && !installed.get(session.user);
    installed.set(session.user);
    session.next = first ? INSTALL : START;
    session.nextTime = time;
    session.order = orderCount++;
    session.remaining = (int) dice.oneOf(LENGTHS);
    freeAgain[session.user] = Long.MAX_VALUE;
    sessions.add(session);
  }

  /** A user who is not in a session; when all seem to be, one who is. */
  private int freeUser(long time) {
    int user = 0;
    for (int attempt = 0; attempt < 64; attempt++) {
      user = attempt < 16 ? population.anyByActivity(dice) : dice.below(options.users());
      if (freeAgain[user] <= time) {
        return user;
      }
    }
    return user;
  }

  /** Moves a session to its next event; false at its end. */
  private boolean advance(OpenSession session) {
    EventKind last = session.next;
    if (last == END) {
      return false;
    }
    if (last == INSTALL) {
      session.next = START;
    } else if (last == VIEW && dice.below(100) < OPEN_PERCENT) {
      session.next = OPEN;
    } else if (session.remaining > 0) {
      session.remaining--;
      session.next = BODY[dice.below(BODY.length)];
    } else if (dice.below(100) < SESSION_END_PERCENT) {
      session.next = END;
    } else {
      return false;
    }
    session.nextTime += dice.oneOf(PAUSES);
    return true;
  }

  private void send(OpenSession session) {
    EventKind kind = session.next;
    json.idHigh = Dice.of(idSeed, 2 * eventCount);
    json.idLow = Dice.of(idSeed, 2 * eventCount + 1);
    eventCount++;
    json.userId = session.userId;
    boolean anonymous = kind == INSTALL || dice.below(100) < MISSING_SESSION_ID_PERCENT;
    json.sessionId = anonymous ? null : session.sessionId;
    json.eventType = kind.type;
    json.timeFormat = population.timeFormat(session.user);
    json.deviceInfo = session.deviceInfo;
    json.geoLocation = session.geoLocation;
    json.property = kind.property;
    if (kind != OPEN) {
      session.notification = dice.below(1000);
    }
    json.propertyNumber = session.notification;

    long happened = session.nextTime;
    long arrival = happened + dice.oneOf(DELAYS);
    json.timestamp = happened;
    double share = dice.fraction();
    if (share < malformedUpTo) {
      json.receivedAt = arrival;
      sendMalformed(kind, nextMalformation(), arrival);
    } else if (share < futureUpTo) {
      json.receivedAt = arrival;
      json.timestamp = arrival + dice.logUniform(11 * MINUTE, 3650 * DAY);
      Fate fate = new Fate(Verdict.REJECTED, 0, 0, arrival, false, null, IN_FUTURE);
      send(kind, session.userId, json.write(), arrival, fate);
    } else {
      boolean late = share < lateUpTo;
      if (late) {
        arrival = happened + dice.logUniform(20 * MINUTE, 3 * HOUR);
      }
      json.receivedAt = arrival;
      byte[] value = json.write();
      long identity = json.identity();
      Fate fate = new Fate(Verdict.ACCEPTED, identity, happened, arrival, late, null, Set.of());
      send(kind, session.userId, value, arrival, fate);
      if (repeated > 0 && dice.fraction() < repeated) {
        Fate again = new Fate(Verdict.DUPLICATE, identity, happened, arrival, late, null, Set.of());
        long delay = dice.logUniform(SECOND, 2 * HOUR);
        send(kind, session.userId, value, arrival + delay, again);
      }
    }
  }

  private void sendMalformed(EventKind kind, Malformation malformation, long arrival) {
    byte[] key =
        switch (malformation) {
          case NOT_JSON, NO_USER_ID, HUGE_VALUE -> null;
          default -> json.userId;
        };
    Fate fate =
        new Fate(
            Verdict.REJECTED,
            0,
            0,
            malformation.timesRead() ? arrival : 0,
            false,
            malformation,
            malformation.reasons());
    send(kind, key, json.write(malformation), arrival, fate);
  }

  /** Each kind in turn; the huge one, where wanted, only in a few of the turns. */
  private Malformation nextMalformation() {
    int kinds = MALFORMATIONS.length;
    long turn = malformedCount / kinds;
    Malformation next = MALFORMATIONS[(int) (malformedCount % kinds)];
    malformedCount++;
    if (next == Malformation.HUGE_VALUE
        && !(options.hugeValues() && turn % CYCLES_PER_HUGE_VALUE == 0)) {
      return nextMalformation();
    }
    return next;
  }

  private void send(
      EventKind kind, @Nullable byte[] key, @Nullable byte[] value, long arrival, Fate fate) {
    SimulatedRecord sent = new SimulatedRecord(kind.topic, key, value, arrival, fate);
    underWay.add(new UnderWay(arrival, orderCount++, sent));
  }
}
