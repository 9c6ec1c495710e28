use super::*;

fn file(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cellblock.toml");
    std::fs::write(&path, text).unwrap();
    (directory, path)
}

#[test]
fn the_nearest_to_the_person_wins() {
    let (_kept, path) =
        file("[limits]\ncpus = 3\nprocesses = 100\nmemory_mib = 64\n[server]\nlisten = \"[::1]:1\"\n");
    let environment = |name: &str| match name {
        "CELLBLOCK_LIMITS_PROCESSES" => Some("200".to_owned()),
        "CELLBLOCK_LIMITS_MEMORY_MIB" => Some(String::new()),
        "CELLBLOCK_SERVER_LISTEN" => Some("127.0.0.1:2".to_owned()),
        _ => None,
    };
    let options =
        [("server.listen", "--listen", Some("127.0.0.1:3".to_owned())), ("server.env", "--env", None)];
    let config = Config::load(Some(&path), environment, &options).unwrap();
    assert_eq!(config.text("server.listen"), Some("127.0.0.1:3"));
    assert_eq!(config.number("limits.processes"), Some(200));
    assert_eq!(config.number("limits.memory_mib"), Some(64));
    assert_eq!(config.number("limits.cpus"), Some(3));
    assert_eq!(config.text("server.env"), Some("full"));
    assert_eq!(config.number("limits.total_memory_mib"), None);
    let shown = config.show();
    assert!(shown.contains("listen = \"127.0.0.1:3\"  # --listen\n"), "{shown}");
    assert!(shown.contains("processes = 200  # CELLBLOCK_LIMITS_PROCESSES\n"), "{shown}");
    // What is shown is a configuration.
    let (_kept, again) = file(&shown);
    assert_eq!(Config::load(Some(&again), |_| None, &[]).unwrap().number("limits.cpus"), Some(3));
}

#[test]
fn what_is_wrong_is_named() {
    for (text, says) in [
        ("[limits]\ncpu = 3", "`limits.cpu`"),
        ("[limits]\ncpus = 0", "`limits.cpus`"),
        ("[limits]\ncpus = \"many\"", "`many`"),
        ("limits = 3", "`limits`"),
        ("[limits", "understand"),
    ] {
        let (_kept, path) = file(text);
        let error = Config::load(Some(&path), |_| None, &[]).unwrap_err().to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
    let wrong = Config::load(None, |name| (name == "CELLBLOCK_LIMITS_CPUS").then(|| "x".to_owned()), &[]);
    assert!(wrong.unwrap_err().to_string().contains("(CELLBLOCK_LIMITS_CPUS)"));
    assert!(Config::load(Some(Path::new("/nowhere.toml")), |_| None, &[]).is_err());
}

#[test]
fn lists_are_lists_in_a_file_and_have_commas_elsewhere() {
    let (_kept, path) = file(
        "[network]\nmode = \"allow\"\nallow = [\"*.example.org\", \"db.example.org:5432\"]\n\
         open_private = [\"10.1.2.3:5432\"]\nresolver = \"10.0.0.2:53\"\n\
         [security]\nrequire = [\"seccomp\", \"cgroup\"]\n",
    );
    let environment =
        |name: &str| (name == "CELLBLOCK_NETWORK_OPEN_PRIVATE").then(|| "10.0.0.1, fd00::1".to_owned());
    let config = Config::load(Some(&path), environment, &[]).unwrap();
    assert_eq!(config.list("network.allow"), ["*.example.org", "db.example.org:5432"]);
    assert_eq!(config.list("network.open_private"), ["10.0.0.1", "fd00::1"]);
    let shown = config.show();
    for line in [
        format!("allow = [\"*.example.org\", \"db.example.org:5432\"]  # {}", path.display()),
        "open_private = [\"10.0.0.1\", \"fd00::1\"]  # CELLBLOCK_NETWORK_OPEN_PRIVATE".to_owned(),
        format!("require = [\"seccomp\", \"cgroup\"]  # {}", path.display()),
        "transfer_mib = 10240  # default".to_owned(),
    ] {
        assert!(shown.contains(&(line.clone() + "\n")), "{line} in {shown}");
    }
    let (_kept, again) = file(&shown);
    let again = Config::load(Some(&again), |_| None, &[]).unwrap();
    assert_eq!(again.list("network.open_private"), ["10.0.0.1", "fd00::1"]);
    assert_eq!(again.list("security.require"), ["seccomp", "cgroup"]);
}

#[test]
fn an_entry_that_is_none_is_named_with_where_it_stands() {
    for (text, says) in [
        (
            "[network]\nallow = [\"example.org\", \"not a name\"]",
            "`not a name` is no value of `network.allow`",
        ),
        ("[network]\nallow = [3]", "`3` is no value of `network.allow`"),
        ("[network]\nallow = \"example.org\"", "`example.org` is no value of `network.allow`"),
        ("[network]\nmode = [\"allow\"]", "`[allow]` is no value of `network.mode`"),
        ("[limits]\ncpus = [1, 2]", "`[1, 2]` is no value of `limits.cpus`"),
        ("[network]\nlist = []", "there is no key `network.list`"),
        ("[security]\nrequire = [\"quota\"]", "`quota` is no value of `security.require`"),
    ] {
        let (_kept, path) = file(text);
        let error = Config::load(Some(&path), |_| None, &[]).unwrap_err().to_string();
        assert!(error.contains(says), "{text}: {error}");
        assert!(error.contains("no key") || error.contains(&format!("({})", path.display())), "{error}");
    }
}
