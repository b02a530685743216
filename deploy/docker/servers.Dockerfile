# The image of docker-compose.yml's other servers, out of the jars that scripts/up runs.
# From the root of a checkout: mvn -q -DskipTests package && docker build -f deploy/docker/servers.Dockerfile -t millrace-servers:0.1.0 .
FROM eclipse-temurin:17-jdk
COPY local/servers/kafka/target/lib /opt/millrace/kafka
COPY local/servers/s3/target/lib /opt/millrace/s3
COPY local/servers/metastore/target/lib /opt/millrace/metastore
COPY local/servers/metastore/target/release /opt/millrace/metastore-release
COPY local/servers/flink/target/lib /opt/millrace/zookeeper
COPY deploy/docker/server deploy/docker/CreateTopics.java /opt/millrace/
RUN useradd --uid 9999 --no-create-home millrace && mkdir /data && chown millrace /data
USER millrace
WORKDIR /data
VOLUME /data
ENTRYPOINT ["/opt/millrace/server"]
