//! Several servers in one address: a primary and its standby. Whoever takes writes is the one that is used, without a program between
//! that knows which one that is.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use store::{Changes, PrivateState, Store, StoreError};
use tempfile::TempDir;

/// Of the user and the group that PostgreSQL runs as where the tests are root's, which it refuses to be.
const NOBODY: &str = "nobody";
const NOGROUP: &str = "nogroup";

/// A server of PostgreSQL on a socket in a folder of its own. Dropping it stops it.
struct Server {
    folder: TempDir,
    programs: PathBuf,
}

impl Server {
    /// A folder for one; none where `scripts/postgres` does not say where its programs are.
    fn new() -> Option<Self> {
        let Some(programs) = std::env::var_os("VESTIBULE_TEST_POSTGRES_PROGRAMS") else {
            let required = std::env::var("VESTIBULE_REQUIRE_ALL").is_ok_and(|value| value == "1");
            assert!(!required, "there are no programs of PostgreSQL; run this with scripts/postgres");
            println!("skipped on two servers; run this with scripts/postgres");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        if is_root() {
            let id = |of: &str| {
                let output = Command::new("id").args([of, NOBODY]).output().unwrap();
                String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
            };
            chown(folder.path(), Some(id("-u")), Some(id("-g"))).unwrap();
        }
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        Some(Self { folder, programs: programs.into() })
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Runs one of its programs, and says whether it succeeded.
    fn succeeds(&self, program: &str, arguments: &[&str]) -> bool {
        let path = self.programs.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args([&format!("--reuid={NOBODY}"), &format!("--regid={NOGROUP}"), "--clear-groups"]);
            command.arg(path);
            command
        } else {
            Command::new(path)
        };
        // What it says goes to a file, which does not keep those who read it waiting for a server that it started.
        let said = std::fs::File::create(self.folder.path().join(format!("{program}.said"))).unwrap();
        let command = command.args(arguments).current_dir("/").stdin(std::process::Stdio::null());
        command.stdout(said.try_clone().unwrap()).stderr(said).status().unwrap().success()
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let is_done = self.succeeds(program, arguments);
        let said = std::fs::read_to_string(self.folder.path().join(format!("{program}.said")));
        assert!(is_done, "{program} {arguments:?}: {said:?}");
    }

    /// Tells it to do something: `start`, `stop`, `promote`.
    fn control(&self, arguments: &[&str]) {
        let (data, log) = (self.data(), self.folder.path().join("log"));
        let options = format!(
            "-c listen_addresses= -c fsync=off -c unix_socket_directories={}",
            text(self.folder.path())
        );
        let mut all = vec!["--wait", "--pgdata", text(&data)];
        if arguments[0] == "start" {
            all.extend(["--log", text(&log), "--options", &options]);
        }
        all.extend(arguments);
        self.run("pg_ctl", &all);
    }

    fn primary() -> Option<Self> {
        let server = Self::new()?;
        let data = server.data();
        let options = ["--username", "vestibule", "--auth", "trust", "--encoding", "UTF8", "--no-sync"];
        server.run("initdb", &[&["--pgdata", text(&data), "--locale", "C.UTF-8"], &options[..]].concat());
        server.control(&["start"]);
        Some(server)
    }

    /// One that repeats what this one writes, and takes no writes itself.
    fn standby(&self) -> Self {
        let standby = Self::new().unwrap();
        let data = standby.data();
        let options =
            ["--username", "vestibule", "--checkpoint", "fast", "--write-recovery-conf", "--no-sync"];
        let from = ["--host", text(self.folder.path()), "--pgdata", text(&data)];
        standby.run("pg_basebackup", &[&from, &options[..]].concat());
        standby.control(&["start"]);
        standby
    }

    /// An address of a database on one of these servers.
    fn address(servers: &[&Self]) -> String {
        let hosts: Vec<_> = servers.iter().map(|server| text(server.folder.path())).collect();
        format!("host={} user=vestibule dbname=postgres", hosts.join(","))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.succeeds("pg_ctl", &["--pgdata", text(&self.data()), "--mode", "immediate", "stop"]);
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn entry(key: &str) -> PrivateState {
    PrivateState { owner: "o", kind: "k", key: key.into(), value: "v".into(), life: None, version: 0 }
}

async fn keys(store: &Store) -> Vec<String> {
    store.private_states("o", "k").await.unwrap().into_iter().map(|one| one.key).collect()
}

/// A folder with the socket of a server that was stopped: its system takes connections, and nothing is said on them.
fn silent() -> (TempDir, std::os::unix::net::UnixListener) {
    let folder = tempfile::tempdir().unwrap();
    let listener = std::os::unix::net::UnixListener::bind(folder.path().join(".s.PGSQL.5432")).unwrap();
    (folder, listener)
}

/// Whoever waits longer than this would wait for ever.
const FOR_EVER: std::time::Duration = std::time::Duration::from_secs(60);

#[tokio::test]
async fn a_host_that_takes_connections_and_says_nothing_is_not_waited_for() {
    let (folder, _listener) = silent();
    let address = format!("host={} user=vestibule dbname=postgres connect_timeout=1", text(folder.path()));
    let refused = tokio::time::timeout(FOR_EVER, Store::connect(&address)).await.unwrap().unwrap_err();
    let says = "a host does not answer within 1s, or takes connections and says nothing";
    assert!(refused.to_string().contains(says), "{refused}");
}

#[tokio::test]
async fn a_host_that_takes_connections_and_says_nothing_is_passed_over() {
    let Some(primary) = Server::primary() else { return };
    let (folder, _listener) = silent();
    let hosts = format!("{},{}", text(folder.path()), text(primary.folder.path()));
    let address = format!("host={hosts} user=vestibule dbname=postgres");
    let store = tokio::time::timeout(FOR_EVER, Store::connect(&address)).await.unwrap().unwrap();
    let save = store.save(Changes::new().put_private_state(&entry("a")));
    tokio::time::timeout(FOR_EVER, save).await.unwrap().unwrap();
    assert_eq!(tokio::time::timeout(FOR_EVER, keys(&store)).await.unwrap(), ["a"]);
}

#[tokio::test]
async fn of_several_servers_the_one_that_takes_writes_is_used() {
    let Some(primary) = Server::primary() else { return };
    let standby = primary.standby();
    let alone = Store::connect(&Server::address(&[&standby])).await.unwrap_err().to_string();
    assert!(alone.contains("it can only be read"), "{alone}");

    // The standby comes first, and lets everybody in who only reads.
    let several = Server::address(&[&standby, &primary]);
    let asked = format!("{several} target_session_attrs=read-write");
    let (store, other) = (Store::connect(&several).await.unwrap(), Store::connect(&asked).await.unwrap());
    store.save(Changes::new().put_private_state(&entry("a"))).await.unwrap();
    other.save(Changes::new().put_private_state(&entry("b"))).await.unwrap();
    assert_eq!(
        (keys(&store).await, keys(&other).await),
        (vec!["a".into(), "b".into()], vec!["a".into(), "b".into()])
    );

    // It ends once the standby has all that it wrote. Nobody takes writes then, and what is read could be old.
    primary.control(&["--mode", "fast", "stop"]);
    for store in [&store, &other] {
        let refused = store.save(Changes::new().put_private_state(&entry("lost"))).await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
        let refused = store.private_states("o", "k").await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    }

    // The same two go on with the other server, and nothing is gone.
    standby.control(&["promote"]);
    store.save(Changes::new().put_private_state(&entry("c"))).await.unwrap();
    other.save(Changes::new().put_private_state(&entry("d"))).await.unwrap();
    assert_eq!(keys(&store).await, ["a", "b", "c", "d"]);
}

/// A commit that waits for a standby is not ended by anybody, so it has its place among the connections until it is over, whoever went
/// away meanwhile. Reads are well.
#[tokio::test(flavor = "multi_thread")]
async fn writes_that_nobody_waits_for_any_more_keep_their_places() {
    let Some(primary) = Server::primary() else { return };
    let address = Server::address(&[&primary]);
    let store = Store::connect(&address).await.unwrap();
    let (client, connection) = tokio_postgres::connect(&address, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let count = async |whose: &str| -> i64 {
        let all =
            format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'vestibule' {whose}");
        client.query_one(&all, &[]).await.unwrap().get(0)
    };
    let turn = async |standbys: &str| {
        client.batch_execute(standbys).await.unwrap();
        client.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    };
    store.save(Changes::new().put_private_state(&entry("first"))).await.unwrap();
    assert_eq!(keys(&store).await, ["first"]);
    let reader =
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'vestibule' AND query LIKE 'SELECT%'";
    let read_by: i32 = client.query_one(reader, &[]).await.unwrap().get(0);

    turn("ALTER SYSTEM SET synchronous_standby_names = 'nobody'").await;
    let write = |key: String| {
        let store = store.clone();
        tokio::spawn(async move { store.save(Changes::new().put_private_state(&entry(&key))).await })
    };
    // The server takes up what it was told in its own time; from the first write on that waits, all do.
    let mut earlier = 0;
    let mut begun = async || loop {
        let one = write(format!("earlier {earlier}"));
        while !one.is_finished() && count("AND wait_event = 'SyncRep'").await == 0 {}
        if !one.is_finished() {
            break one;
        }
        earlier += 1;
    };
    let waited_for = tokio::time::timeout(FOR_EVER, begun()).await.unwrap();
    let known = keys(&store).await;
    let first: Vec<_> = (0..9).map(|number| write(format!("first {number}"))).collect();
    let wait = async || while count("AND wait_event = 'SyncRep'").await < 10 {};
    tokio::time::timeout(FOR_EVER, wait()).await.unwrap();
    // Those who asked for them go away, others come, and nobody gets one connection more.
    first.iter().for_each(tokio::task::JoinHandle::abort);
    let second: Vec<_> = (0..30).map(|number| write(format!("second {number}"))).collect();
    while !waited_for.is_finished() {
        assert_eq!(keys(&store).await, known);
        assert!(count("").await <= 16, "{} connections", count("").await);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let late = waited_for.await.unwrap().unwrap_err().to_string();
    assert!(late.contains("does not answer in time"), "{late}");
    for one in second {
        assert!(matches!(one.await.unwrap(), Err(StoreError::Unavailable(_))));
    }
    assert_eq!(keys(&store).await, known);
    assert_eq!(client.query_one(reader, &[]).await.unwrap().get::<_, i32>(0), read_by, "it was well");

    turn("ALTER SYSTEM RESET synchronous_standby_names").await;
    let save = store.save(Changes::new().put_private_state(&entry("last")));
    tokio::time::timeout(FOR_EVER, save).await.unwrap().unwrap();
    assert!(keys(&store).await.contains(&"last".to_owned()));
    assert!(count("").await <= 16);
}
