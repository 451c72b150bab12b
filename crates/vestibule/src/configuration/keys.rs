//! The sections and keys of the file, each described once.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use gateway::domain::Tenant;

use super::choices::{LogFormat, LogLevel, Offered, ProxyHeader, Rules, Signing, Unlisted};
use super::files::{CertificateFile, DatabaseSecret, KeyFile, SealingSecret, Secret, StopListFile};
use super::section::section;
use super::values::{
    Collector, Count, Days, Deadline, ListCountry, Origin, OwnNumbers, Percent, ServiceAddress, StaffName,
};

section! {
    /// The bank.
    Bank "bank" {
        /// Name that customers read on the pages.
        name: String, Required("\"Example Bank\"");
        /// Branches: each has its own part of the addresses, such as /xs2a-bg/nl, and its own time zone.
        branches: Vec<Tenant>, Required("[\"nl\"]");
        /// How much is put up with: "strict" follows the standards to the letter, "lenient" takes what working clients
        /// send. Certificates that are not for the purpose that they are used for are refused by "strict" alone.
        rules: Rules, Default("\"strict\"");
        /// The interfaces that third parties find, beside the authorization server: "berlin-group" is NextGenPSD2, "bunq" is bunq's
        /// PSD2 API. The latter is at the first Dutch branch, or else at the first one, knows third parties by the certificate of
        /// their seal and asks for none in the handshake; the core bank has to number entries for it (entry-numbers in
        /// /core/v1/parts).
        interfaces: Vec<Offered>, Default("[\"berlin-group\"]");
        /// Whether payments to other countries and in other currencies are made.
        cross_border_payments: bool, Default("false");
        /// How ID tokens are signed.
        id_tokens: Signing, Default("\"RS256\"");
    }
}

section! {
    /// Where third parties call: interfaces and authorization server. Each call presents a client certificate in the TLS
    /// handshake, and whoever presents none is refused.
    Interface "interface" {
        /// Address that is listened on.
        listen: SocketAddr, Default("\"0.0.0.0:8443\"");
        /// Where third parties reach it.
        url: Origin, Required("\"https://api.bank.example.com:8443\"");
        /// The server's certificate, followed by those above it. Read again at SIGHUP. Left out behind a proxy.
        certificate_file: Option<CertificateFile>, Optional("\"interface.pem\"");
        /// Its private key. Read again at SIGHUP. Left out behind a proxy.
        key_file: Option<KeyFile>, Optional("\"interface.key\"");
    }
}

section! {
    /// Where customers' browsers come: log-in, consents, payments. No client certificate is asked for.
    Pages "pages" {
        /// Address that is listened on.
        listen: SocketAddr, Default("\"0.0.0.0:8444\"");
        /// Where browsers reach it.
        url: Origin, Required("\"https://bank.example.com:8444\"");
        /// The server's certificate, followed by those above it. Read again at SIGHUP. Left out behind a proxy.
        certificate_file: Option<CertificateFile>, Optional("\"pages.pem\"");
        /// Its private key. Read again at SIGHUP. Left out behind a proxy.
        key_file: Option<KeyFile>, Optional("\"pages.key\"");
    }
}

section! {
    /// A proxy that ends TLS in front of both listeners. Leave the section out if none does. Where it is there, the
    /// listeners have no TLS and take connections from these addresses alone. [interface] believes this header alone, [pages], where
    /// nobody is asked for a certificate, none. The address of the caller is the last one of x-forwarded-for.
    Proxy "proxy" {
        /// Addresses of the proxies.
        addresses: Vec<IpAddr>, Required("[\"192.0.2.10\"]");
        /// Header in which they hand the client's certificate on; they have to remove it from what clients send.
        /// "client-cert" is that of RFC 9440. Amazon's load balancers have "x-amzn-mtls-clientcert" where they pass certificates
        /// through, and "x-amzn-mtls-clientcert-leaf" where they verify them.
        header: ProxyHeader, Default("\"client-cert\"");
    }
}

section! {
    /// The authorities whose certificates third parties present.
    Trust "trust" {
        /// PEM files with authorities that issue qualified certificates. Read again at SIGHUP.
        anchor_files: Vec<CertificateFile>, Required("[\"anchors.pem\"]");
        /// PEM files with authorities below them, or below those of trusted lists, which third parties need not send then. Read
        /// again at SIGHUP.
        intermediate_files: Vec<CertificateFile>, Default("[]");
        /// Whether the authorities are asked, by OCSP and revocation lists at the addresses that certificates name, whether
        /// they revoked them, or an authority between them and a trusted one. Where nobody tells, calls are answered with 503, reads
        /// under a consent for six hours not. Read again at SIGHUP.
        check_revocation: bool, Default("true");
        /// Whether authorities for tests are trusted too: those in whose organisation TEST or SANDBOX is a word. Whoever has such an
        /// authority, as everybody who starts a sandbox has, can be any third party: only for a gateway behind which nothing is real.
        /// It holds for anchor_files and, in [trusted_lists], for signer_files and for what lists name. Read again at SIGHUP.
        test_authorities: bool, Default("false");
    }
}

section! {
    /// Where the gateway keeps consents, authorisations, payments and keys: one of the two.
    Database "database" {
        /// PostgreSQL, for example postgres://user:password@host/name. Processes that share one are one bank. Of several hosts
        /// (one,another:5433) the one that takes writes is used. Hosts that are not this machine are reached over TLS, and their
        /// certificate is checked against the authorities that the system trusts, unless the address says sslmode=disable: then password
        /// and data go over the network as they are.
        address: Option<DatabaseSecret>, Optional("\"database.address\"");
        /// SQLite in this file, for one process alone.
        sqlite_file: Option<PathBuf>, Optional("\"vestibule.db\"");
    }
}

section! {
    /// Keys that seal what the gateway keeps secret in its database: the keys of ID tokens, and those that its ids and links are
    /// made with. Without this section they are kept as they are. All nodes have the same. To change the key without a stop:
    /// name the new one as other_key everywhere (SIGHUP), then exchange the two everywhere (SIGHUP), then leave the old one out.
    Sealing "sealing" {
        /// The key that seals and opens, such as `openssl rand -base64 32` makes. Read again at SIGHUP: what another key sealed is
        /// sealed anew by this one.
        key: SealingSecret, Required("\"sealing.key\"");
        /// Another key that opens: the next one, or the one before. Read again at SIGHUP.
        other_key: Option<SealingSecret>, Optional("\"sealing-other.key\"");
    }
}

section! {
    /// The bank's own system, which knows customers and accounts.
    CoreBank "core_bank" {
        /// Where it is reached.
        url: Origin, Required("\"https://core.bank.example.com\"");
        /// Certificate that the gateway presents to it, followed by those above it.
        certificate_file: CertificateFile, Required("\"core-client.pem\"");
        /// Its private key.
        key_file: KeyFile, Required("\"core-client.key\"");
        /// PEM files with the authorities of its server's certificate. The system's own are not asked.
        trust_files: Vec<CertificateFile>, Required("[\"core-authority.pem\"]");
        /// Which account numbers (IBAN) are the bank's own: country and bank code, without the check digits between them.
        own_numbers: Vec<OwnNumbers>, Required("[\"NLBANK\"]");
        /// How long a connection to it may take.
        connect_within: Deadline, Default("\"2s\"");
        /// How long an answer may take, all attempts together.
        answer_within: Deadline, Default("\"5s\"");
        /// How many calls of one node to it there may be at once; others wait within their time.
        calls_at_once: Count, Default("64");
    }
}

section! {
    /// Trusted lists of the European Union (ETSI TS 119 612), which say which authorities issue qualified certificates, and for what.
    /// They come beside anchor_files of [trust], which may be empty then. Leave the section out if staff keep the authorities
    /// themselves. Lists are fetched again at SIGHUP too; what is fetched and cannot be verified changes nothing, and the last good
    /// ones hold until seven days after the next ones should have been there. Each list of lists that is taken says who signs the
    /// next one; changes that were missed are followed by the lists that it names for that (its pivots). Where nothing good is at url,
    /// the list of lists is looked for where the last good one says that it lies. Listed authorities are asked about revocations too.
    TrustedLists "trusted_lists" {
        /// Address of the list of lists. The national ones are fetched where it points to: at names of hosts with public
        /// addresses alone, or at this very host.
        url: ServiceAddress, Default("\"https://ec.europa.eu/tools/lotl/eu-lotl.xml\"");
        /// PEM files with the certificates of those who may sign the list of lists, as the Official Journal announces them. Where others
        /// are written here, what was kept of changes after those before is not followed any more.
        signer_files: Vec<CertificateFile>, Required("[\"list-signers.pem\"]");
        /// Folder in which the last good lists are kept for a start without a network. They are verified when they are read.
        folder: PathBuf, Default("\"trusted-lists\"");
        /// Countries whose lists are read, as lists write them (EL for Greece, UK for the United Kingdom). All of them if there is none.
        countries: Vec<ListCountry>, Default("[]");
        /// How often lists are fetched.
        refresh_every: Deadline, Default("\"1h\"");
    }
}

section! {
    /// Registers of payment institutions, and whom staff stopped. Leave the section out if nobody is looked up. A third party whose
    /// authorisation was withdrawn is refused, and so is a service without a passport for the branch's country. What is older than
    /// seven days is not looked at. /metrics and /health/ready say how old it is.
    Register "register" {
        /// A copy of a register in the form of the European Banking Authority (JSON, unpacked); its time of modification says of
        /// when it is, and one that is not yet is taken as of the moment at which the file is read. Read again when it changes: put a
        /// new one in its place by renaming.
        file: Option<PathBuf>, Optional("\"register.json\"");
        /// A service that answers GET with the organizationIdentifier behind this address by the part of a register that is about
        /// it, in the same form, or 404. One of the two.
        url: Option<ServiceAddress>, Optional("\"https://registers.example.com/psd2\"");
        /// PEM files with the authorities of the service's certificate. The system's own are not asked.
        trust_files: Vec<CertificateFile>, Default("[]");
        /// What the service is sent as Authorization.
        authorization: Option<Secret>, Optional("\"register.authorization\"");
        /// How long an answer of the service may take. What it said is fresh for ten minutes.
        answer_within: Deadline, Default("\"2s\"");
        /// What becomes of third parties that no register lists, or that nobody tells anything of: "let_in", since the certificate
        /// says that they are authorised, or "refuse", also where they come with a key or a token alone. Banks are in other
        /// registers, and let in in both cases.
        unlisted: Unlisted, Default("\"let_in\"");
        /// Third parties, by their organizationIdentifier, and certificates, by their SHA-256 fingerprint in hexadecimal, that
        /// staff stopped: one on a line; what stands behind a # is for people. An identifier whose number has small letters, spaces or
        /// other signs than . - / : stands in quotation marks. Comes before every register. Read again at SIGHUP, also where this
        /// section was not there at the start. Whoever is stopped stays so when a section with a register is taken out, until the next
        /// start.
        stop_list_file: Option<StopListFile>, Optional("\"stop-list.txt\"");
    }
}

section! {
    /// How often one third party may call each interface, calls of the authorization server for it included, once its signature or its
    /// proof as a client was checked. Whoever calls more gets 429 with Retry-After. Each node counts for itself: behind a load balancer, n nodes let up to
    /// n times as much through. Without this section there is no limit. It is read again at SIGHUP; calls that were counted stay counted.
    Limits "limits" {
        /// How many calls a third party may make in the time of within. They come back evenly.
        calls: Count, Default("3000");
        /// The time, in whole seconds.
        within: Deadline, Default("\"1m\"");
        /// How many calls of a third party are answered at once.
        calls_at_once: Count, Default("50");
    }
}

section! {
    /// What operators and monitoring ask: /health/live, /health/ready, /metrics. It has no log-in.
    Management "management" {
        /// Address that is listened on.
        listen: SocketAddr, Default("\"127.0.0.1:8081\"");
        /// How long /health/ready says no at a stop before the other listeners close, so that a load balancer sends
        /// nothing more.
        drain: Duration, Default("\"5s\"");
    }
}

section! {
    /// The interface of the bank's staff, with mutual TLS. Leave the section out for a node without one. Staff is named by the
    /// subject of a certificate, as "CN=Jane Doe, O=Example Bank, C=NL", or by its SHA-256, as sha256: and 64 hexadecimal
    /// digits.
    Admin "admin" {
        /// Address that is listened on.
        listen: SocketAddr, Default("\"127.0.0.1:8445\"");
        /// The server's certificate, followed by those above it. Read again at SIGHUP.
        certificate_file: CertificateFile, Required("\"admin.pem\"");
        /// Its private key. Read again at SIGHUP.
        key_file: KeyFile, Required("\"admin.key\"");
        /// PEM files with the authorities that issue certificates to staff: no others are let in. Read again at SIGHUP.
        trust_files: Vec<CertificateFile>, Required("[\"staff-authority.pem\"]");
        /// Who looks for third parties, consents and payments. Read again at SIGHUP.
        readers: Vec<StaffName>, Default("[]");
        /// Who does so and acts: blocks third parties, withdraws consents. Read again at SIGHUP.
        operators: Vec<StaffName>, Required("[\"CN=Jane Doe, O=Example Bank, C=NL\"]");
        /// Who reads what was done. Read again at SIGHUP.
        auditors: Vec<StaffName>, Default("[]");
    }
}

section! {
    /// The audit trail of calls and of what staff does.
    Audit "audit" {
        /// Folder in which each call stands from before its answer is sent until it is in the database, so that a process that is killed
        /// loses none. It is made if it is not there, on a disk of this machine, and nobody else may write into it. Processes that
        /// share a database may share it, and whichever finds what another one left behind writes it.
        spool_folder: PathBuf, Default("\"audit-spool\"");
    }
}

section! {
    /// How long the gateway keeps what it notes for supervisors.
    Lives "lives" {
        /// Days for which entries of the audit trail are kept.
        audit_days: Days, Default("400");
        /// Days for which is kept what statistics are made of.
        statistics_days: Days, Default("800");
    }
}

section! {
    /// Traces, which are sent to a collector by OpenTelemetry's protocol (OTLP over HTTP, protobuf). Leave the section out if nobody collects
    /// any. They have methods, routes, statuses and codes, third parties and request ids; no paths, bodies or secrets.
    Traces "traces" {
        /// Where the collector takes them, http or https.
        endpoint: Collector, Required("\"http://127.0.0.1:4318/v1/traces\"");
        /// How many of 100 calls are traced.
        percent: Percent, Default("100");
        /// Whether a call continues the trace that its caller names in traceparent (W3C Trace Context), and is traced if its caller traces.
        from_callers: bool, Default("false");
    }
}

section! {
    /// The log, which goes to standard error.
    Log "log" {
        /// "text" for people, "json" for programs: one object a line.
        format: LogFormat, Default("\"text\"");
        /// How much is logged: "info" is one line a call.
        level: LogLevel, Default("\"info\"");
    }
}
