//! The sandbox's bank over the interface: what holds of any bank holds of it, and what goes wrong on the way has its outcome.

#![expect(clippy::unwrap_used, reason = "a test may stop anywhere")]

mod connections;
mod description;
mod events;
mod faults;
mod parts;
mod scene;

use scene::Scene;

#[tokio::test]
async fn the_contract_of_banks_is_kept_over_http() {
    for branch in ["nl", "uk"] {
        let scene = Scene::at(branch).await;
        scene.parties("").hold().await;
        assert_eq!(scene.open_rows().await, 0, "nothing is left to find out about");
    }
}

/// Proofs that are none are for a bank's own end alone.
#[test]
fn nobody_but_banks_makes_proofs_for_what_a_gateway_asks() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut folders = vec![root.join("dialects"), root.join("crates")];
    let mut read = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let is_gateway = path.ends_with("crates/gateway");
            if path.is_dir() && !is_gateway {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "toml") {
                let text = std::fs::read_to_string(&path).unwrap();
                let asks =
                    ["gateway::bank_end", "/bank-end\"", "\"bank-end\""].map(|name| text.contains(name));
                assert_eq!(asks, [false; 3], "{}", path.display());
                read += 1;
            }
        }
    }
    assert!(read > 100, "{read}");
}
