//! Registers of payment institutions: a file that is read again when it changes, or a service; and the numbers about them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use edge::registers::RegisterService;
use eidas::certificate::to_pem;
use gateway::domain::{OLDEST_REGISTER, RegisterCopy, Timestamp};
use gateway::{Clock, Gateway, Register, RegisterSource};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::configuration::{self, Configuration, Unlisted};
use crate::on_disk::{self, modified};
use crate::start_error::StartError;

/// How often it is looked whether the file changed.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// The file, if there is one, which is looked at as long as this is there.
#[derive(Debug)]
pub(super) struct RegisterFile {
    look: Arc<Notify>,
    _looking: JoinSet<()>,
}

impl RegisterFile {
    /// Looks at once whether it changed.
    pub(super) fn look_now(&self) {
        self.look.notify_one();
    }
}

/// What a configuration says, with its file read. Without a section nobody is stopped yet; staff may stop somebody at any moment.
///
/// # Errors
/// [`StartError::Register`]
pub(super) async fn begin(
    configuration: &Configuration,
    clock: &Arc<dyn Clock>,
) -> Result<(Register, RegisterFile), StartError> {
    let (mut looking, look) = (JoinSet::new(), Arc::new(Notify::new()));
    let Some(section) = &configuration.register else {
        let register = Register::new(RegisterSource::None, false);
        return Ok((register, RegisterFile { look, _looking: looking }));
    };
    let register =
        Register::new(source(section).map_err(StartError::Register)?, section.unlisted == Unlisted::Refuse);
    register.stop_these(section.stop_list_file.clone().map(|file| file.0).unwrap_or_default());
    if let Some(path) = &section.file {
        let (read, copy) = read(path.clone(), clock.now(None)).await.map_err(StartError::Register)?;
        register.take(copy);
        looking.spawn(keep_up(register.clone(), (path.clone(), read), Arc::clone(clock), Arc::clone(&look)));
    }
    Ok((register, RegisterFile { look, _looking: looking }))
}

/// Stops whom the section of another configuration names from now on. Where a gateway began with a register, the section that is
/// gone is taken up at the next start with all that is in it: until then whoever is stopped stays so.
pub(super) fn stop_as_in(
    register: &Register,
    (begun, new): (Option<&configuration::Register>, Option<&configuration::Register>),
) {
    if new.is_some() || !begun.is_some_and(configuration::Register::names_a_register) {
        let file = new.and_then(|section| section.stop_list_file.clone());
        register.stop_these(file.map(|file| file.0).unwrap_or_default());
    }
}

fn source(section: &configuration::Register) -> Result<RegisterSource, String> {
    let Some(url) = &section.url else {
        return Ok(if section.file.is_some() { RegisterSource::Copy } else { RegisterSource::None });
    };
    let authorities = section.trust_files.iter().flat_map(|file| &file.certificates);
    let authorities: String = authorities.map(|one| to_pem(&one.der)).collect();
    let authorization = section.authorization.as_ref().map(|secret| secret.0.as_str());
    let within = section.answer_within.0;
    let service = RegisterService::new(url.0.clone(), authorities.as_bytes(), authorization, within)?;
    Ok(RegisterSource::Service(Arc::new(service), within))
}

/// Takes the file up whenever another one is there. One that cannot be read changes nothing.
async fn keep_up(
    register: Register,
    (path, mut read_last): (PathBuf, SystemTime),
    clock: Arc<dyn Clock>,
    look: Arc<Notify>,
) {
    let mut tick = tokio::time::interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut refused, mut was_old) = (None, false);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = look.notified() => {}
        }
        let is_old =
            register.as_of().is_some_and(|as_of| clock.now(None).duration_since(as_of) > OLDEST_REGISTER);
        if is_old && !was_old {
            tracing::warn!(
                "the register of payment institutions is older than seven days; nobody is looked up in it"
            );
        }
        was_old = is_old;
        let modified = modified(&path);
        // Each file that cannot be read is told of once.
        if modified.as_ref() == Ok(&read_last) || refused.as_ref() == Some(&modified) {
            continue;
        }
        match read(path.clone(), clock.now(None)).await {
            Ok((read, copy)) => {
                (read_last, refused) = (read, None);
                register.take(copy);
            }
            Err(error) => {
                refused = Some(modified);
                tracing::warn!(
                    error,
                    "the register of payment institutions cannot be read; the one before is used"
                );
            }
        }
    }
}

/// Reads a file, beside the calls since it may be large.
async fn read(path: PathBuf, now: Timestamp) -> Result<(SystemTime, RegisterCopy), String> {
    let reading = tokio::task::spawn_blocking(move || {
        let (modified, copy) = on_disk::register(&path, now)?;
        let as_of = copy.as_of();
        if let Ok(said) = Timestamp::try_from(modified)
            && said > as_of
        {
            let path = path.display();
            tracing::warn!(
                %path, %said, now = %as_of,
                "the register of payment institutions says that it is of a time that is not yet; it is taken as of now"
            );
        }
        tracing::info!(institutions = copy.len(), %as_of, "the register of payment institutions was read");
        Ok((modified, copy))
    });
    reading.await.map_err(|error| error.to_string())?
}

/// What is told of registers with the other numbers.
#[derive(Debug)]
pub(super) struct RegisterNumbers(pub(super) Gateway);

impl Collector for RegisterNumbers {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let register = self.0.register_of_institutions().filter(|register| !register.is_silent());
        let Some(register) = register else { return Ok(()) };
        if let Some(as_of) = register.as_of() {
            let age = self.0.system_time().duration_since(as_of);
            for (name, help, value) in [
                ("register_age", "How old the register of payment institutions is", age.as_secs()),
                ("register_oldest", "From which age on it is not looked at", OLDEST_REGISTER.as_secs()),
            ] {
                let gauge = ConstGauge::new(value);
                let metric =
                    encoder.encode_descriptor(name, help, Some(&Unit::Seconds), gauge.metric_type())?;
                gauge.encode(metric)?;
            }
        }
        let counts = register.counts();
        let help = "Calls by what stop list and register told of the caller";
        let calls = ConstCounter::new(0_u64);
        let mut encoder_of_calls =
            encoder.encode_descriptor("register_calls", help, None, calls.metric_type())?;
        for (outcome, count) in [
            ("listed", counts.listed),
            ("unlisted", counts.unlisted),
            ("untold", counts.untold),
            ("refused", counts.refused),
        ] {
            let labels = [("outcome", outcome)];
            ConstCounter::new(count).encode(encoder_of_calls.encode_family(&labels)?)?;
        }
        for (name, help, count) in [
            ("register_questions", "Times that a register's service was asked", counts.asked),
            ("register_questions_unanswered", "Of those, without an answer", counts.unanswered),
        ] {
            let counter = ConstCounter::new(count);
            let metric = encoder.encode_descriptor(name, help, None, counter.metric_type())?;
            counter.encode(metric)?;
        }
        Ok(())
    }
}
