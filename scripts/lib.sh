# Shared by the verbs in this folder: sourced, never run.

home=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# What run_java runs; a verb may choose another module of the build, and another heap.
module=local
heap=3g

# Ends with one line on standard error.
die() {
  echo "$(basename "$0"): $*" >&2
  exit 2
}

# Builds what is missing or older than its sources, and says so.
build() {
  command -v mvn >/dev/null || die "Maven (mvn) is not on the path; it is needed to build"
  local stamp="$home/$module/target/classpath.txt" profiles=()
  local sources=("$home/pom.xml" "$home"/{functions,jobs,local}/{pom.xml,src/main} "$home/local/servers")
  if [ "$module" = bench ]; then
    profiles=(-P bench)
    sources+=("$home"/bench/{pom.xml,src/main})
  fi
  if [ ! -e "$stamp" ] || [ -n "$(find "${sources[@]}" \
    -name target -prune -o -type f -newer "$stamp" -print -quit)" ]; then
    echo "Building (the first time this downloads libraries, which takes minutes)" >&2
    local log
    log=$(mktemp)
    if ! mvn -B -f "$home/pom.xml" ${profiles[@]+"${profiles[@]}"} package -DskipTests -Dmaven.shade.skip=true \
      -Dspotless.check.skip=true -Dcheckstyle.skip=true >"$log" 2>&1; then
      grep -E '^\[ERROR\]' "$log" | head -n 20 >&2
      die "the build failed, see $log"
    fi
    rm -f "$log"
    # Maven leaves the file alone when the class path is the same.
    touch "$stamp"
  fi
}

# The same, with the jar that a cluster runs.
build_for_cluster() {
  build
  local jar
  jar=$(find "$home/jobs/target" -maxdepth 1 -name 'millrace-jobs-*-cluster.jar' -print -quit)
  if [ -z "$jar" ] || [ -n "$(find "$home/pom.xml" "$home"/{functions,jobs}/{pom.xml,src/main} \
    -type f -newer "$jar" -print -quit)" ]; then
    echo "Building the jar for the cluster" >&2
    local log
    log=$(mktemp)
    if ! mvn -B -f "$home/pom.xml" -pl functions,jobs package -DskipTests \
      -Dspotless.check.skip=true -Dcheckstyle.skip=true >"$log" 2>&1; then
      grep -E '^\[ERROR\]' "$log" | head -n 20 >&2
      die "the build failed, see $log"
    fi
    rm -f "$log"
  fi
}

# java MAIN ARGS...: the module, with everything that it needs on the class path.
run_java() {
  command -v java >/dev/null || die "java is not on the path; JDK 17 is needed"
  local opens=(
    --add-opens=java.base/java.lang=ALL-UNNAMED --add-opens=java.base/java.util=ALL-UNNAMED
    --add-opens=java.base/java.net=ALL-UNNAMED --add-opens=java.base/java.nio=ALL-UNNAMED
    --add-opens=java.base/java.time=ALL-UNNAMED
    --add-opens=java.base/java.util.concurrent=ALL-UNNAMED
    --add-opens=java.base/java.util.concurrent.atomic=ALL-UNNAMED
  )
  exec java "-Xmx$heap" -XX:+UseParallelGC "${opens[@]}" "-Dmillrace.home=$home" \
    -Dlog4j2.configurationFile=log4j2-command.properties "-Dmillrace.log=$home/target/millrace.log" \
    -cp "$home/$module/target/classes:$(cat "$home/$module/target/classpath.txt")" "$@"
}
