package io.millrace.local;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;

/**
 * A Kafka broker that talks TLS only. Clients name themselves by SCRAM, the broker itself and the
 * test by a certificate; what a client may do is what ACLs allow, which is nothing at first.
 */
final class SecureKafka extends ServerProcess {
  private static final String SCRAM = "SCRAM-SHA-512";

  private final SelfSigned key;
  private Admin admin;
  private int clients;
  private int internal;
  private int controller;

  private SecureKafka(Path folder, SelfSigned key) {
    super("kafka", folder);
    this.key = key;
  }

  /** Starts a broker that has a key; who has it, too, may do everything. */
  static SecureKafka start(Path folder, SelfSigned key) {
    SecureKafka broker = new SecureKafka(folder, key);
    broker.start();
    return broker;
  }

  String bootstrap() {
    return "127.0.0.1:" + clients;
  }

  @Override
  public String address() {
    return bootstrap();
  }

  /** A client that may do everything. */
  private synchronized Admin admin() {
    if (admin != null) {
      return admin;
    }
    Map<String, Object> client = new HashMap<>(tls("SSL"));
    client.put("bootstrap.servers", "127.0.0.1:" + internal);
    client.put("ssl.keystore.location", key.keyStore().toString());
    client.put("ssl.keystore.password", key.password());
    client.put("ssl.keystore.type", "PKCS12");
    admin = Admin.create(client);
    return admin;
  }

  /** Stops the broker, after the client. */
  void stopAll() {
    if (admin != null) {
      admin.close();
    }
    close();
  }

  /** The properties of a client of a user. */
  Map<String, Object> client(String user, String password) {
    Map<String, Object> client = new HashMap<>(tls("SASL_SSL"));
    client.put("bootstrap.servers", bootstrap());
    client.put("sasl.mechanism", SCRAM);
    client.put("sasl.jaas.config", jaas(user, password));
    return client;
  }

  static String jaas(String user, String password) {
    return "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"%s\" password=\"%s\";"
        .formatted(user, password);
  }

  private Map<String, Object> tls(String protocol) {
    return Map.of(
        "security.protocol",
        protocol,
        "ssl.truststore.location",
        key.trustStore().toString(),
        "ssl.truststore.password",
        key.password(),
        "ssl.truststore.type",
        "PKCS12");
  }

  void addUser(String user, String password) throws Exception {
    admin()
        .alterUserScramCredentials(
            List.of(
                new UserScramCredentialUpsertion(
                    user, new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096), password)))
        .all()
        .get(30, TimeUnit.SECONDS);
  }

  void createTopic(String topic, Map<String, String> configs) throws Exception {
    admin()
        .createTopics(List.of(new NewTopic(topic, 2, (short) 1).configs(configs)))
        .all()
        .get(30, TimeUnit.SECONDS);
  }

  /** Allows a user something on a resource of exactly this name. */
  void allow(String user, ResourceType type, String name, AclOperation... operations)
      throws Exception {
    allow(user, new ResourcePattern(type, name, PatternType.LITERAL), operations);
  }

  void allow(String user, ResourcePattern resource, AclOperation... operations) throws Exception {
    Collection<AclBinding> bindings = new ArrayList<>();
    for (AclOperation operation : operations) {
      bindings.add(
          new AclBinding(
              resource,
              new AccessControlEntry("User:" + user, "*", operation, AclPermissionType.ALLOW)));
    }
    admin().createAcls(bindings).all().get(30, TimeUnit.SECONDS);
  }

  @Override
  List<Integer> choosePorts() {
    clients = claimPort();
    internal = claimPort();
    controller = claimPort();
    return List.of(clients, internal, controller);
  }

  @Override
  void prepare() throws IOException {
    Path data = Files.createDirectories(folder().resolve("data"));
    Files.writeString(
        data.resolve("meta.properties"),
        "version=1\nnode.id=1\ncluster.id=%s\ndirectory.id=%s\n"
            .formatted(Uuid.randomUuid(), Uuid.randomUuid()));
    Path conf = Files.createDirectories(folder().resolve("conf"));
    Files.writeString(
        conf.resolve("server.properties"),
        """
        process.roles=broker,controller
        node.id=1
        controller.quorum.voters=1@127.0.0.1:%3$d
        listeners=CLIENTS://127.0.0.1:%1$d,INTERNAL://127.0.0.1:%2$d,CONTROLLER://127.0.0.1:%3$d
        advertised.listeners=CLIENTS://127.0.0.1:%1$d,INTERNAL://127.0.0.1:%2$d
        controller.listener.names=CONTROLLER
        inter.broker.listener.name=INTERNAL
        listener.security.protocol.map=CLIENTS:SASL_SSL,INTERNAL:SSL,CONTROLLER:SSL
        ssl.keystore.location=%4$s
        ssl.keystore.password=%6$s
        ssl.keystore.type=PKCS12
        ssl.truststore.location=%5$s
        ssl.truststore.password=%6$s
        ssl.truststore.type=PKCS12
        listener.name.internal.ssl.client.auth=required
        listener.name.controller.ssl.client.auth=required
        sasl.enabled.mechanisms=%8$s
        listener.name.clients.scram-sha-512.sasl.jaas.config=\
          org.apache.kafka.common.security.scram.ScramLoginModule required;
        authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
        super.users=User:CN=server
        log.dirs=%7$s
        auto.create.topics.enable=false
        log.retention.ms=-1
        log.cleaner.dedupe.buffer.size=16777216
        default.replication.factor=1
        offsets.topic.replication.factor=1
        offsets.topic.num.partitions=2
        transaction.state.log.replication.factor=1
        transaction.state.log.min.isr=1
        transaction.state.log.num.partitions=2
        share.coordinator.state.topic.replication.factor=1
        share.coordinator.state.topic.min.isr=1
        group.initial.rebalance.delay.ms=0
        """
            .formatted(
                clients,
                internal,
                controller,
                key.keyStore(),
                key.trustStore(),
                key.password(),
                data,
                SCRAM));
  }

  @Override
  List<String> command() {
    return KafkaBroker.broker(folder());
  }

  @Override
  boolean answers() throws Exception {
    return admin().describeCluster().nodes().get(10, TimeUnit.SECONDS).size() == 1;
  }
}
