//! Connections to a bank whose other end vanishes without a word, as when a load balancer's machine ends.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use core_bank::server::router;
use core_bank::server::test_authority::{self, TestCertificates};
use core_bank::{CoreBank, CoreBankSettings, Limits};
use gateway::Store;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::scene::Scene;

/// Serves routes over HTTP/2, as the proxies of banks do.
async fn serve(certificates: &TestCertificates, routes: Router) -> SocketAddr {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let chain = CertificateDer::pem_slice_iter(certificates.server.as_bytes()).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(certificates.server_key.as_bytes()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let mut config = config.with_single_cert(chain, key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let stream = tcp.accept().await.unwrap().0;
            let (acceptor, routes) = (acceptor.clone(), TowerToHyperService::new(routes.clone()));
            tokio::spawn(async move {
                let stream = TokioIo::new(acceptor.accept(stream).await.unwrap());
                let _ =
                    Builder::new(TokioExecutor::new()).http2_only().serve_connection(stream, routes).await;
            });
        }
    });
    address
}

/// A way there of which the first connection carries nothing any more once it is said so, and stays open; with how many there were.
async fn way(to: SocketAddr) -> (SocketAddr, watch::Sender<bool>, Arc<AtomicUsize>) {
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    let (vanishes, vanished) = watch::channel(false);
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    tokio::spawn(async move {
        loop {
            let mut here = tcp.accept().await.unwrap().0;
            let is_first = count.fetch_add(1, Ordering::SeqCst) == 0;
            let mut vanished = vanished.clone();
            tokio::spawn(async move {
                let mut there = TcpStream::connect(to).await.unwrap();
                tokio::select! {
                    _ = copy_bidirectional(&mut here, &mut there) => return,
                    _ = vanished.wait_for(|vanished| *vanished && is_first) => {}
                }
                // Both ends are kept.
                std::future::pending::<()>().await;
            });
        }
    });
    (address, vanishes, connections)
}

#[tokio::test]
async fn a_connection_whose_other_end_vanished_is_not_used_for_long() {
    let scene = Scene::at("nl").await;
    let certificates = test_authority::make(&["127.0.0.1".to_owned()]).unwrap();
    let (bank, store) = (scene.sandbox.telling().await.unwrap(), Store::clone(&scene.sandbox.store));
    let bank = serve(&certificates, router(bank, store, vec![scene.tenant.clone()])).await;
    let (address, vanishes, connections) = way(bank).await;
    let limits = Limits {
        deadline: Duration::from_secs(3),
        connect: Duration::from_secs(1),
        failures: 1_000,
        ..Limits::default()
    };
    let settings = CoreBankSettings {
        url: format!("https://{address}"),
        authorities: certificates.authority.clone().into_bytes(),
        identity: (certificates.client.clone() + &certificates.client_key).into_bytes(),
        limits,
        ..scene.settings.clone()
    };
    let customers = CoreBank::new(&settings, &scene.store).unwrap().ports().customers;
    for _ in 0..3 {
        customers.customer(&scene.payer.0).await.unwrap();
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1, "calls share it");
    vanishes.send_replace(true);
    let mut failed = 0;
    while customers.customer(&scene.payer.0).await.is_err() {
        failed += 1;
        assert!(failed < 10, "nobody gives it up");
    }
    assert!(connections.load(Ordering::SeqCst) >= 2, "another one is made");
}
