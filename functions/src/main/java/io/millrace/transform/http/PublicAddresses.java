package io.millrace.transform.http;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import org.apache.hc.client5.http.DnsResolver;

/**
 * Resolves hosts for connections, and refuses those that have any address within a network that is
 * not the public one. The connection is made to the addresses that were checked.
 */
public final class PublicAddresses implements DnsResolver {
  /** Set to {@code true} by who operates Millrace, to let pipelines ask hosts of this network. */
  public static final String ALLOW_PRIVATE = "millrace.api.allow-private-hosts";

  /** A host that must not be asked. */
  static final class RefusedHostException extends UnknownHostException {
    private static final long serialVersionUID = 1L;

    RefusedHostException(String host, InetAddress address) {
      super(
          host
              + " has the address "
              + address.getHostAddress()
              + ", which is not one of the public internet");
    }
  }

  @Override
  public InetAddress[] resolve(String host) throws UnknownHostException {
    InetAddress[] addresses = InetAddress.getAllByName(host);
    if (!Boolean.getBoolean(ALLOW_PRIVATE)) {
      for (InetAddress address : addresses) {
        if (!isPublic(address)) {
          throw new RefusedHostException(host, address);
        }
      }
    }
    return addresses;
  }

  @Override
  public String resolveCanonicalHostname(String host) {
    return host;
  }

  static boolean isPublic(InetAddress address) {
    if (address.isAnyLocalAddress()
        || address.isLoopbackAddress()
        || address.isLinkLocalAddress()
        || address.isSiteLocalAddress()
        || address.isMulticastAddress()) {
      return false;
    }
    byte[] bytes = address.getAddress();
    return address instanceof Inet6Address ? isPublic6(bytes) : isPublic4(bytes, 0);
  }

  private static boolean isPublic4(byte[] bytes, int from) {
    int a = bytes[from] & 0xFF;
    int b = bytes[from + 1] & 0xFF;
    int c = bytes[from + 2] & 0xFF;
    return switch (a) {
      case 0, 10, 127 -> false;
      case 100 -> b < 64 || b > 127;
      case 169 -> b != 254;
      case 172 -> b < 16 || b > 31;
      case 192 -> !(b == 168 || (b == 0 && (c == 0 || c == 2)) || (b == 88 && c == 99));
      case 198 -> !(b == 18 || b == 19 || (b == 51 && c == 100));
      case 203 -> !(b == 0 && c == 113);
      default -> a < 224;
    };
  }

  /** Global unicast is 2000::/3; parts of it lead to IPv4 addresses or are for documents. */
  private static boolean isPublic6(byte[] bytes) {
    int first = (bytes[0] & 0xFF) << 8 | (bytes[1] & 0xFF);
    int second = (bytes[2] & 0xFF) << 8 | (bytes[3] & 0xFF);
    if (first == 0x64 && second == 0xFF9B) {
      return isPublic4(bytes, 12);
    }
    if ((first & 0xE000) != 0x2000) {
      return false;
    }
    if (first == 0x2002) {
      return isPublic4(bytes, 2);
    }
    return !(first == 0x2001 && (second < 0x200 || second == 0xDB8));
  }
}
