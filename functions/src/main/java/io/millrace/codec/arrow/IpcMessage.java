package io.millrace.codec.arrow;

import io.millrace.codec.arrow.ArrowRejection.Reason;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.apache.arrow.flatbuf.Message;
import org.apache.arrow.flatbuf.MetadataVersion;

/**
 * One message of a stream: what it is, and the bytes of its buffers.
 *
 * @param metadata where the description stands
 */
record IpcMessage(Message message, Slice metadata, Slice body) {
  static final int CONTINUATION = -1;

  /** Parses the description; nothing in it is trusted yet. */
  static Message parse(Slice metadata) throws BadArrowException {
    if (metadata.length() < 8) {
      throw BadArrowException.malformed("a message of %d bytes", metadata.length());
    }
    ByteBuffer bytes =
        ByteBuffer.wrap(metadata.bytes(), metadata.start(), metadata.length())
            .slice()
            .order(ByteOrder.LITTLE_ENDIAN);
    Message message = Message.getRootAsMessage(bytes);
    if (message.version() != MetadataVersion.V5 && message.version() != MetadataVersion.V4) {
      throw BadArrowException.of(
          Reason.UNSUPPORTED, "metadata version %d, only 4 and 5 are read", message.version() + 1);
    }
    return message;
  }

  boolean beforeV5() {
    return message.version() < MetadataVersion.V5;
  }
}
