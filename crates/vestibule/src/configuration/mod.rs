//! The file that `vestibule serve` is configured with.
//!
//! `keys.rs` describes each key once. `section.rs` makes of that what reads the file, `texts.rs` the example and the
//! reference page.

mod admin;
mod bank;
mod choices;
mod files;
mod keys;
mod listeners;
mod looks;
mod page_texts;
mod provider;
mod register;
mod secrecy;
mod section;
mod texts;
mod trust;
mod used_files;
mod values;

use std::ffi::OsString;
use std::path::Path;

use gateway::domain::Timestamp;
use gateway::profile::CallLimits;

use self::choices::LogFormat;
pub(crate) use self::choices::{Offered, ProxyHeader, Rules, Signing, Unlisted};
pub(crate) use self::keys::*;
pub(crate) use self::listeners::Server;
use self::listeners::{check_pair, check_servers, listeners};
pub(crate) use self::looks::Looks;
pub(crate) use self::page_texts::Texts;
pub(crate) use self::provider::Provider;
pub use self::section::Problem;
use self::section::{Place, Reader, Section};
pub use self::texts::{example, reference};
pub(crate) use self::values::StaffName;

/// How much is looked at of what a file names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// What is read with it.
    Read,
    /// What a start looks at besides.
    Check,
}

/// When a file is read.
#[derive(Debug, Clone, Copy)]
struct When<'b> {
    now: Timestamp,
    before: Before<'b>,
}

/// What is served by while a file is read.
#[derive(Debug, Clone, Copy)]
enum Before<'b> {
    /// Nothing: a gateway starts.
    Nothing,
    /// This, while it is read again.
    This(&'b Configuration),
    /// Something that is known to the gateway alone.
    Unknown,
}

/// Everything that the file says.
#[derive(Debug, Clone, PartialEq)]
pub struct Configuration {
    pub(crate) bank: Bank,
    pub(crate) interface: Interface,
    pub(crate) pages: Pages,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) trust: Trust,
    pub(crate) trusted_lists: Option<TrustedLists>,
    pub(crate) register: Option<Register>,
    pub(crate) database: Database,
    pub(crate) sealing: Option<Sealing>,
    pub(crate) core_bank: CoreBank,
    pub(crate) provider: Option<Provider>,
    pub(crate) limits: Option<Limits>,
    pub(crate) looks: Looks,
    pub(crate) texts: Texts,
    pub(crate) management: Management,
    pub(crate) admin: Option<Admin>,
    pub(crate) audit: Audit,
    pub(crate) lives: Lives,
    pub(crate) traces: Option<Traces>,
    pub(crate) log: Log,
    pub(crate) remarks: Vec<Problem>,
}

/// The names of the sections in the order of the example.
const SECTIONS: &[&str] = &[
    Bank::NAME,
    Interface::NAME,
    Pages::NAME,
    Proxy::NAME,
    Trust::NAME,
    Database::NAME,
    Sealing::NAME,
    CoreBank::NAME,
    TrustedLists::NAME,
    Register::NAME,
    Provider::NAME,
    Limits::NAME,
    Looks::NAME,
    Texts::NAME,
    Management::NAME,
    Admin::NAME,
    Audit::NAME,
    Lives::NAME,
    Traces::NAME,
    Log::NAME,
];

impl Configuration {
    /// Reads a file, and the files that it names.
    ///
    /// # Errors
    /// Everything that is wrong with it at `now`, in the order of its lines.
    pub fn read(path: &Path, now: Timestamp) -> Result<Self, Vec<Problem>> {
        Self::read_to(path, When { now, before: Before::Nothing }, Depth::Read)
    }

    /// Reads a file again while a gateway serves by what was read before: a certificate that is the same and has ended meanwhile keeps
    /// nothing else from being taken up.
    ///
    /// # Errors
    /// As [`Configuration::read`]
    pub fn read_again(path: &Path, now: Timestamp, before: &Self) -> Result<Self, Vec<Problem>> {
        Self::read_to(path, When { now, before: Before::This(before) }, Depth::Read)
    }

    /// What is to be told of it though it is right: certificates that have ended, or have not begun.
    pub fn remarks(&self) -> &[Problem] {
        &self.remarks
    }

    /// Reads a file, and looks at all that it names as a start does.
    ///
    /// # Errors
    /// As [`Configuration::read`]
    pub fn check(path: &Path, now: Timestamp) -> Result<Self, Vec<Problem>> {
        Self::read_to(path, When { now, before: Before::Nothing }, Depth::Check)
    }

    /// The same for a gateway that runs and is to read the file again. Only that gateway knows which certificates are new and have to be in
    /// their time: here none has to.
    ///
    /// # Errors
    /// As [`Configuration::read`]
    pub fn check_reload(path: &Path, now: Timestamp) -> Result<Self, Vec<Problem>> {
        Self::read_to(path, When { now, before: Before::Unknown }, Depth::Check)
    }

    fn read_to(path: &Path, when: When<'_>, depth: Depth) -> Result<Self, Vec<Problem>> {
        let unreadable = |text: String| vec![Problem { line: None, text }];
        let octets = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
        let source =
            String::from_utf8(octets).map_err(|_| unreadable("this is no text in UTF-8".to_owned()))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::parse(&source, folder, &|name| std::env::var_os(name), (when, depth))
    }

    /// Reads a text whose paths begin at a folder, with variables of an environment.
    #[expect(
        clippy::too_many_lines,
        reason = "a line for each section where it is read, looked at and put in place"
    )]
    fn parse(
        source: &str,
        folder: &Path,
        environment: &dyn Fn(&str) -> Option<OsString>,
        (when, depth): (When<'_>, Depth),
    ) -> Result<Self, Vec<Problem>> {
        let (mut reader, table) = Reader::new(source, Place { folder: folder.to_owned(), environment });
        let file = table.get_ref();
        reader.known_sections(file, SECTIONS);
        let bank = reader.section(file);
        let interface = reader.section(file);
        let pages = reader.section(file);
        let proxy = reader.optional(file);
        let trust = reader.section(file);
        let trusted_lists = reader.optional(file);
        let register = reader.optional(file);
        let database = reader.section(file);
        let sealing = reader.optional(file);
        let core_bank = reader.section(file);
        let provider: Option<Option<Provider>> = reader.optional(file);
        let limits: Option<Option<Limits>> = reader.optional(file);
        let looks: Option<Looks> = reader.section(file);
        let texts: Option<Texts> = reader.section(file);
        let management = reader.section(file);
        let admin: Option<Option<Admin>> = reader.optional(file);
        let audit = reader.section(file);
        let lives = reader.section(file);
        let traces = reader.optional(file);
        let log = reader.section(file);
        // What belongs together is looked at as far as it is there.
        listeners(&mut reader, (&interface, &pages, &management), admin.as_ref().and_then(Option::as_ref));
        bank.iter().for_each(|bank| bank::check(&mut reader, bank));
        database.iter().for_each(|database| bank::check_database(&mut reader, database));
        if let Some(proxy) = &proxy {
            let servers = [
                (Interface::NAME, interface.as_ref().map(Interface::server)),
                (Pages::NAME, pages.as_ref().map(Pages::server)),
            ];
            check_servers(&mut reader, servers, proxy.as_ref(), when);
        }
        sealing.iter().flatten().for_each(|sealing| check_sealing(&mut reader, sealing));
        trust.iter().for_each(|trust| trust::check(&mut reader, trust, &trusted_lists));
        let test_authorities = trust.as_ref().is_some_and(|trust: &Trust| trust.test_authorities);
        let lists = trusted_lists.iter().flatten();
        lists.for_each(|lists| trust::check_lists(&mut reader, lists, test_authorities));
        register.iter().flatten().for_each(|register| register::check(&mut reader, register));
        limits.iter().flatten().for_each(|limits| check_limits(&mut reader, limits));
        core_bank.iter().for_each(|core_bank| check_core_bank(&mut reader, core_bank, when));
        admin.iter().flatten().for_each(|admin| admin::check(&mut reader, admin, when));
        provider.iter().flatten().for_each(|provider| provider.check(&mut reader, when));
        looks.iter().for_each(|looks| looks.check(&mut reader));
        texts.iter().for_each(|texts| texts.check(&mut reader));
        if depth == Depth::Check {
            let kept = (database.as_ref(), audit.as_ref());
            let beside = (register.iter().flatten().next(), trusted_lists.iter().flatten().next());
            used_files::check(&mut reader, kept, beside, when.now);
        }
        let (mut problems, remarks) = (reader.problems, reader.remarks);
        problems.sort_by_key(|problem| problem.line.unwrap_or(usize::MAX));
        if !problems.is_empty() {
            return Err(problems);
        }
        let read = || {
            Some(Self {
                bank: bank?,
                interface: interface?,
                pages: pages?,
                proxy: proxy?,
                trust: trust?,
                trusted_lists: trusted_lists?,
                register: register?,
                database: database?,
                sealing: sealing?,
                core_bank: core_bank?,
                provider: provider?,
                limits: limits?,
                looks: looks?,
                texts: texts?,
                management: management?,
                admin: admin?,
                audit: audit?,
                lives: lives?,
                traces: traces?,
                log: log?,
                remarks,
            })
        };
        read().ok_or_else(|| vec![Problem { line: None, text: "it cannot be read".to_owned() }])
    }
}

fn check_sealing(reader: &mut Reader<'_>, sealing: &Sealing) {
    if sealing.other_key.as_ref() == Some(&sealing.key) {
        reader.together(
            "sealing.other_key_file",
            "it is the same key as key; leave it out, or name the other one",
        );
    }
}

fn check_limits(reader: &mut Reader<'_>, limits: &Limits) {
    if limits.within.0.subsec_nanos() > 0 {
        reader.together("limits.within", "callers are told it in seconds; write whole ones, such as 1s");
    }
}

impl Limits {
    pub(crate) fn of_calls(&self) -> CallLimits {
        let calls = u32::try_from(self.calls.0).unwrap_or(u32::MAX);
        CallLimits { calls, within: self.within.0, at_once: self.calls_at_once.0 }
    }
}

impl Sealing {
    /// What seals and opens.
    ///
    /// # Errors
    /// [`gateway::SealingError`]
    pub(crate) fn keys(&self) -> Result<gateway::Sealing, gateway::SealingError> {
        let other = self.other_key.as_ref().map(files::SealingSecret::key).transpose()?;
        Ok(gateway::Sealing::new(self.key.key()?, other))
    }
}

fn check_core_bank(reader: &mut Reader<'_>, core_bank: &CoreBank, when: When<'_>) {
    let files = (&core_bank.certificate_file, &core_bank.key_file);
    check_pair(reader, ("core_bank.certificate_file", "core_bank.key_file"), files, when);
    if core_bank.trust_files.is_empty() {
        reader.together(
            "core_bank.trust_files",
            "without an authority the core bank cannot be told from others",
        );
    }
}

impl Configuration {
    /// The sections in which another one differs in what is not read again while the gateway runs.
    pub(crate) fn sections_that_differ(&self, other: &Self) -> Vec<&'static str> {
        let mut other = other.clone();
        other.interface.certificate_file.clone_from(&self.interface.certificate_file);
        other.interface.key_file.clone_from(&self.interface.key_file);
        other.pages.certificate_file.clone_from(&self.pages.certificate_file);
        other.pages.key_file.clone_from(&self.pages.key_file);
        if let (Some(register), Some(other)) = (&self.register, &mut other.register) {
            other.stop_list_file.clone_from(&register.stop_list_file);
        }
        // A stop list alone is taken up.
        let registers = [&self.register, &other.register]
            .map(|register| register.as_ref().filter(|register| register.names_a_register()));
        let differs = [
            (Bank::NAME, self.bank != other.bank),
            (Interface::NAME, self.interface != other.interface),
            (Pages::NAME, self.pages != other.pages),
            (Proxy::NAME, self.proxy != other.proxy),
            (TrustedLists::NAME, self.trusted_lists != other.trusted_lists),
            (Register::NAME, registers[0] != registers[1]),
            (Database::NAME, self.database != other.database),
            (CoreBank::NAME, self.core_bank != other.core_bank),
            // What stands in it is taken up, and whether it is there is not.
            (Provider::NAME, self.provider.is_some() != other.provider.is_some()),
            (Looks::NAME, self.looks != other.looks),
            (Texts::NAME, self.texts != other.texts),
            (Management::NAME, self.management != other.management),
            (
                Admin::NAME,
                self.admin.as_ref().map(|own| own.listen) != other.admin.as_ref().map(|own| own.listen),
            ),
            (Audit::NAME, self.audit != other.audit),
            (Lives::NAME, self.lives != other.lives),
            (Traces::NAME, self.traces != other.traces),
            (Log::NAME, self.log != other.log),
        ];
        differs.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect()
    }

    /// Whether the log is in JSON, one object a line.
    pub fn logs_json(&self) -> bool {
        self.log.format == LogFormat::Json
    }

    /// How much is logged: `error`, `warn`, `info` or `debug`.
    pub fn log_level(&self) -> &'static str {
        self.log.level.word()
    }
}
