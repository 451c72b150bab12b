//! Traces, which a collector gets by OpenTelemetry's protocol (OTLP over HTTP), where the configuration names one.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use edge::{Observer, Recorder, Seen, TRACES};
use http::{HeaderMap, Request, Response};
use opentelemetry::KeyValue;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry_http::{Bytes, HeaderExtractor, HeaderInjector, HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tokio::runtime::Handle;
use tracing::Span;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Subscriber;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;

use crate::configuration::Configuration;
use crate::start_error::StartError;

/// How long the collector gets for a batch, and for the last one at a stop.
const PATIENCE: Duration = Duration::from_secs(5);

/// Collects spans and sends them on, beside the calls. What the collector does not take is lost, and no call notices.
#[derive(Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// Begins, where the configuration says so.
    ///
    /// # Errors
    /// [`StartError::Traces`]
    pub fn begin(configuration: &Configuration) -> Result<Option<Self>, StartError> {
        let Some(traces) = &configuration.traces else { return Ok(None) };
        let wrong = |error: &dyn std::error::Error| StartError::Traces(edge::with_causes(error));
        let http = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| wrong(&error))?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(traces.endpoint.0.as_str())
            .with_timeout(PATIENCE)
            .with_http_client(Collector { http, runtime: Handle::current(), fails: AtomicBool::new(false) })
            .build()
            .map_err(|error| wrong(&error))?;
        let share = f64::from(traces.percent.0) / 100.0;
        let resource = Resource::builder()
            .with_service_name("vestibule")
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_resource(resource)
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(share))))
            .with_batch_exporter(exporter)
            .build();
        Ok(Some(Self { provider }))
    }

    /// What takes the spans that are for traces, and nothing of the log.
    pub fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> + use<S> {
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("vestibule"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(Targets::new().with_target(TRACES, LevelFilter::TRACE))
    }

    /// Sends what there is still.
    pub async fn end(self) {
        let ended = tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(PATIENCE));
        if let Ok(Err(error)) = ended.await {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// The way to the collector. The library sends from a thread of its own, which has no runtime.
#[derive(Debug)]
struct Collector {
    http: reqwest::Client,
    runtime: Handle,
    /// Whether it failed last, so that it is told once.
    fails: AtomicBool,
}

impl HttpClient for Collector {
    fn send_bytes<'life0, 'async_trait>(
        &'life0 self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        let http = self.http.clone();
        let sent = self.runtime.spawn(async move {
            let answer = http.execute(request.try_into()?).await?;
            let status = answer.status();
            let mut response = Response::new(answer.bytes().await?);
            *response.status_mut() = status;
            Ok::<_, reqwest::Error>(response)
        });
        Box::pin(async move {
            let sent = sent.await?.map_err(reqwest::Error::without_url);
            let why = match &sent {
                Ok(response) if response.status().is_success() => None,
                Ok(response) => Some(format!("it answers with {}", response.status())),
                Err(error) => Some(edge::with_causes(error)),
            };
            match why {
                Some(why) if !self.fails.swap(true, Ordering::Relaxed) => {
                    tracing::warn!(why, "the collector does not take the traces; they are lost");
                }
                None if self.fails.swap(false, Ordering::Relaxed) => {
                    tracing::warn!("the collector takes the traces again");
                }
                _ => {}
            }
            Ok(sent?)
        })
    }
}

/// Names the spans of calls, lets them continue the traces of their callers where that is wanted, and tells another observer.
#[derive(Debug)]
pub(crate) struct Traced {
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) from_callers: bool,
}

impl Observer for Traced {
    fn seen(&self, call: &Seen<'_>) {
        self.observer.seen(call);
    }

    fn begins(&self, span: &Span, headers: &HeaderMap) {
        if self.from_callers && !span.is_disabled() {
            let caller = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
            // It fails where nobody collects, and then there is nothing to continue.
            let _ = span.set_parent(caller);
        }
    }

    fn ends(&self, span: &Span, name: String) {
        span.context().span().update_name(name);
    }

    fn recorder(&self) -> Option<&Arc<Recorder>> {
        self.observer.recorder()
    }
}

/// Writes down which trace the call belongs to that is under way, if any.
pub(crate) fn carry(headers: &mut HeaderMap) {
    TraceContextPropagator::new().inject_context(&Span::current().context(), &mut HeaderInjector(headers));
}
