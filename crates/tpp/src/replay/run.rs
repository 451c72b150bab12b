//! One run of a test: a third party and a customer are made, then the steps are taken one after the other.

use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use eidas::header::to_header_value;
use eidas::issue::{KeyType, generate_key};
use http::Method;
use http_signatures::digest::{DigestAlgorithm, digest_header};
use serde_json::Value;

use super::file::{ApprovalStep, CallStep, ClockStep, Deed, Sign, Step, Test};
use super::report::{Report, StepReport};
use super::values::{Values, as_text, at, fill, fill_all};
use crate::berlin_group::sign;
use crate::call::Call;
use crate::sandbox::{Approval, ClockMove, Management, TestAccountRequest, TestCertificateRequest};
use crate::{Error, SigningIdentity, Transport, authorization, random};

/// A bank to try tests at.
#[derive(Debug)]
pub struct Replay {
    /// The way to the bank.
    pub transport: Transport,
    /// Its management API.
    pub management: Management,
    /// Its origin.
    pub bank: String,
}

/// What a step gave: its answer as JSON, with the status if it was a call.
type Given = (Option<u16>, Value);

struct Run<'r> {
    replay: &'r Replay,
    test: &'r Test,
    identity: SigningIdentity,
    values: Values,
}

impl Replay {
    /// Runs a test, up to the first step that gives something else than was written down.
    ///
    /// # Errors
    /// [`Error`] if the bank or its management API cannot be reached, or no third party or customer can be made.
    pub async fn run(&self, test: &Test, mut done: impl FnMut(&StepReport)) -> Result<Report, Error> {
        let mut run = self.prepare(test).await?;
        let mut steps = Vec::new();
        for step in &test.steps {
            let began = Instant::now();
            let (deed, given) = run.take(step).await?;
            let (status, differences) = match given {
                Ok((status, answer)) => (status, run.compare(step, status, &answer)),
                Err(refusal) => (None, vec![refusal]),
            };
            let milliseconds = began.elapsed().as_millis();
            let report = StepReport { name: step.name.clone(), deed, status, milliseconds, differences };
            done(&report);
            let passed = report.passed();
            steps.push(report);
            if !passed {
                break;
            }
        }
        let passed = steps.iter().all(StepReport::passed);
        Ok(Report { name: test.name.clone(), passed, steps, of: test.steps.len() })
    }

    /// Makes the third party and the customer, and with them the values that are there before the first step.
    async fn prepare<'r>(&'r self, test: &'r Test) -> Result<Run<'r>, Error> {
        let holder = &test.third_party;
        let making = tokio::task::spawn_blocking(|| generate_key(KeyType::Rsa2048));
        let unmade = |error: &dyn std::fmt::Display| Error::Setup(format!("no key can be made: {error}"));
        let made = self.transport.patiently("a key, which is being made", making).await;
        let (private, public) = made.map_err(|error| unmade(&error))?.map_err(|error| unmade(&error))?;
        let number: String = random::secret().to_ascii_uppercase();
        let identifier = match holder.organization_identifier.strip_suffix('*') {
            Some(begin) => format!("{begin}{}", &number[..8]),
            None => holder.organization_identifier.clone(),
        };
        let request = TestCertificateRequest {
            organization_identifier: identifier.clone(),
            organization_name: holder.organization_name.clone(),
            country: None,
            locality: "Utrecht".to_owned(),
            roles: holder.roles.clone(),
            profile: holder.profile.clone(),
            public_key: public.clone(),
            tenant: Some(test.tenant.clone()),
        };
        let issued = self.management.test_certificate(&request).await?;
        let identity = SigningIdentity::from_pem(&issued.certificate, &private, Some(issued.key_id))?;
        let chain: String = issued.chain.iter().map(|pem| pem_lines(pem)).collect::<Result<_, _>>()?;
        let mut values = Values::new();
        let mut put = |name: &str, value: String| values.insert(name.to_owned(), value);
        put("bank", self.bank.clone());
        put("tenant", test.tenant.clone());
        put("organizationIdentifier", identifier);
        put("certificate", pem_lines(&issued.certificate)?);
        put("chain", chain);
        put("publicKey", format!("{}\n", public.trim_end()));
        put("verifier", random::secret() + &random::secret());
        put("state", random::secret());
        if let Some(customer) = &test.customer {
            let request = TestAccountRequest {
                tenant: test.tenant.clone(),
                persona: customer.persona.clone(),
                name: None,
                currency: customer.currency.clone(),
                balance: customer.balance.clone(),
            };
            let account = self.management.test_account(&request).await?;
            for name in ["iban", "digipassNumber"] {
                put(name, as_text(&account[name]));
            }
        }
        for (name, text) in &test.values {
            let filled = fill(text, &values).map_err(|absent| no_value(name, &absent))?;
            values.insert(name.clone(), filled);
        }
        Ok(Run { replay: self, test, identity, values })
    }
}

impl Run<'_> {
    /// Takes a step: what was done, and what it gave, or why it could not be done.
    async fn take(&mut self, step: &Step) -> Result<(String, Result<Given, String>), Error> {
        self.compute()?;
        match step.deed().map_err(|problem| Error::Setup(format!("step {}: {problem}", step.name)))? {
            Deed::Call(call) => self.call(&step.name, call).await,
            Deed::Approval(approval) => self.approve(&step.name, approval).await,
            Deed::Clock(clock) => self.move_clock(clock).await,
        }
    }

    async fn move_clock(&self, step: &ClockStep) -> Result<(String, Result<Given, String>), Error> {
        let deed = format!("clock: {}", step.advance.as_ref().or(step.now.as_ref()).map_or("reset", |it| it));
        let tenant = &self.test.tenant;
        let wish = ClockMove {
            tenant,
            advance: step.advance.as_deref(),
            now: step.now.as_deref(),
            reset: step.reset,
        };
        match self.replay.management.move_clock(&wish).await {
            Ok(answer) => Ok((deed, Ok((None, answer)))),
            Err(Error::Bank(error)) => Ok((deed, Err(format!("the bank refused: {error}")))),
            Err(error) => Err(error),
        }
    }

    /// Computes what follows from values that are known.
    fn compute(&mut self) -> Result<(), Error> {
        let known = |name: &str| self.values.get(name).cloned();
        let basic = known("clientId").zip(known("clientSecret")).map(|(id, secret)| format!("{id}:{secret}"));
        let challenge = known("verifier").map(|verifier| authorization::challenge(&verifier));
        let text = known("publicKey").zip(known("installationToken")).map(|(key, token)| key + &token);
        let signature = text.map(|text| self.signature(text.as_bytes())).transpose()?;
        let computed = [
            ("basic", basic.map(|pair| STANDARD.encode(pair))),
            ("challenge", challenge),
            ("publicKeySignature", signature),
        ];
        let computed = computed.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        self.values.extend(computed);
        Ok(())
    }

    fn signature(&self, octets: &[u8]) -> Result<String, Error> {
        let signed = self.identity.key.sign(self.identity.algorithm, octets);
        Ok(STANDARD.encode(signed.map_err(|error| Error::Setup(format!("the key cannot sign: {error}")))?))
    }

    async fn call(&self, name: &str, step: &CallStep) -> Result<(String, Result<Given, String>), Error> {
        let call = self.prepared(name, step)?;
        let path = call.url[self.replay.bank.len()..].split('?').next().unwrap_or_default();
        let deed = format!("{} {path}", call.method);
        let answered = self.replay.transport.ask(call).await?;
        let answer = serde_json::from_slice(&answered.body).unwrap_or(Value::Null);
        Ok((deed, Ok((Some(answered.status.as_u16()), answer))))
    }

    /// A call with its values, signed.
    fn prepared(&self, name: &str, step: &CallStep) -> Result<Call, Error> {
        let fill = |text: &str| fill(text, &self.values).map_err(|absent| no_value(name, &absent));
        let body = match (&step.json, &step.form) {
            (Some(json), _) => {
                let json = fill_all(json, &self.values).map_err(|absent| no_value(name, &absent))?;
                json.to_string()
            }
            (None, Some(form)) => {
                let mut written = form_urlencoded::Serializer::new(String::new());
                for (name, text) in form {
                    written.append_pair(name, &fill(text)?);
                }
                written.finish()
            }
            (None, None) => String::new(),
        };
        let method = Method::from_bytes(step.method.as_bytes());
        let method = method.map_err(|error| Error::Setup(format!("step {name}: {error}")))?;
        let url = format!("{}{}", self.replay.bank, fill(&step.path)?);
        let mut call = Call::new(method, url, body.into_bytes());
        for (name, text) in &step.headers {
            call = call.header(name.to_ascii_lowercase(), fill(text)?);
        }
        let mut usual = vec![("accept", "application/json".to_owned())];
        if step.form.is_some() {
            usual.push(("content-type", "application/x-www-form-urlencoded".to_owned()));
        }
        match step.sign {
            Sign::BerlinGroup => usual.extend([
                ("x-request-id", random::request_id().to_string()),
                ("digest", digest_header(DigestAlgorithm::Sha256, &call.body)),
                ("tpp-signature-certificate", to_header_value(&self.identity.certificate.der)),
            ]),
            Sign::Bunq => usual.push(("x-bunq-client-signature", self.signature(&call.body)?)),
            Sign::None => {}
        }
        // What the file says takes the place of what is usual.
        for (name, value) in usual {
            if !call.headers.iter().any(|(known, _)| known == name) {
                call = call.header(name, value);
            }
        }
        let has_own = call.headers.iter().any(|(known, _)| known == "signature");
        if step.sign == Sign::BerlinGroup && !has_own {
            return sign(call, &self.identity, &self.replay.bank);
        }
        Ok(call)
    }

    async fn approve(
        &self,
        name: &str,
        step: &ApprovalStep,
    ) -> Result<(String, Result<Given, String>), Error> {
        let url = fill(&step.url, &self.values).map_err(|absent| no_value(name, &absent))?;
        let iban = self.values.get("iban").map_or("", String::as_str);
        let approval =
            Approval { url: &url, iban, decision: &step.decision, account: None, digipass_number: None };
        let deed = format!("customer: {}", step.decision);
        let location = match self.replay.management.decide(&approval).await {
            Ok(location) => location,
            Err(Error::Bank(error)) => return Ok((deed, Err(format!("the bank refused: {error}")))),
            Err(error) => return Err(error),
        };
        let back = url::Url::parse(&location)
            .map_err(|error| Error::Answer { url: location.clone(), reason: error.to_string() })?;
        let parameters =
            back.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned().into()));
        Ok((deed, Ok((None, Value::Object(parameters.collect())))))
    }

    /// What differs from what was written down. Without differences, what later steps need is taken from the answer.
    fn compare(&mut self, step: &Step, status: Option<u16>, answer: &Value) -> Vec<String> {
        let mut differences = Vec::new();
        if let Some(expected) = step.expect.status
            && status != Some(expected)
        {
            let got = status.map_or("none".to_owned(), |status| status.to_string());
            differences.push(format!("status: expected {expected}, got {got}{}", said(answer)));
        }
        for (path, expected) in &step.expect.members {
            let got = at(answer, path).filter(|got| !got.is_null());
            let expected = fill_all(expected, &self.values).unwrap_or_else(|_| expected.clone());
            match got {
                None => differences.push(format!("{path}: expected {expected}, but it is not there")),
                Some(got) if expected != "*" && *got != expected => {
                    differences.push(format!("{path}: expected {expected}, got {got}"));
                }
                Some(_) => {}
            }
        }
        for (name, path) in &step.keep {
            match at(answer, path) {
                Some(value) if differences.is_empty() => {
                    self.values.insert(name.clone(), as_text(value));
                }
                Some(_) => {}
                None => differences.push(format!("{path}: later steps need it, but it is not there")),
            }
        }
        differences
    }
}

/// What a bank says beside a status.
fn said(answer: &Value) -> String {
    let texts = ["tppMessages.0.text", "error_description", "Error.0.error_description", "message"];
    let codes = ["tppMessages.0.code", "error"];
    let of = |paths: &[&str]| paths.iter().find_map(|path| at(answer, path)?.as_str().map(str::to_owned));
    match (of(&codes), of(&texts)) {
        (Some(code), Some(text)) => format!(": {code}: {text}"),
        (code, text) => code.or(text).map_or(String::new(), |text| format!(": {text}")),
    }
}

fn no_value(step: &str, name: &str) -> Error {
    Error::Setup(format!("step {step}: {{{{{name}}}}} has no value"))
}

/// A certificate in PEM with lines of 64 letters.
fn pem_lines(pem: &str) -> Result<String, Error> {
    let certificate = eidas::Certificate::from_pem(pem);
    let unusable =
        |error| Error::Setup(format!("a certificate that the sandbox issued cannot be used: {error}"));
    Ok(eidas::certificate::to_pem(&certificate.map_err(unusable)?.der))
}
