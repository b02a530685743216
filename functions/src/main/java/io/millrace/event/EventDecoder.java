package io.millrace.event;

import java.io.Serializable;

/** Reads a record's bytes into a draft; every problem of the bytes is noted on the draft. */
public interface EventDecoder extends Serializable {

  /**
   * Fills {@code draft}, which has been reset. Never throws for any input; after a problem the
   * fields that could be read still stand in the draft.
   */
  void decode(byte[] value, EventDraft draft);
}
