//! `vestibule statistics`: availability and speed of a gateway by day.

use std::process::ExitCode;

use url::form_urlencoded::Serializer;

use super::Failure;
use super::admin::{explained, interface};
use crate::cli::{FormatArg, StatisticsArgs};
use crate::output;

pub(crate) async fn run(args: StatisticsArgs) -> Result<ExitCode, Failure> {
    let StatisticsArgs { to, from, until, format } = args;
    let format = match format {
        _ if to.json => "json",
        FormatArg::Csv => "csv",
        FormatArg::Json => "json",
        FormatArg::Html => "html",
    };
    let mut query = Serializer::new(String::new());
    query.append_pair("format", format);
    for (name, day) in [("from", from), ("to", until)] {
        if let Some(day) = day {
            query.append_pair(name, &day);
        }
    }
    let text = interface(&to)?.text(&format!("/statistics?{}", query.finish())).await.map_err(explained)?;
    output::text(&text);
    if !text.ends_with('\n') {
        output::line("");
    }
    Ok(ExitCode::SUCCESS)
}
