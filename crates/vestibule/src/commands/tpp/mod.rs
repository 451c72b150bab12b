//! `vestibule tpp`: arguments in, the `tpp` crate does the work, text or JSON out. Each command is written once, against
//! what a third party does at any bank.

mod approvals;
mod browser;
mod enrolment;
mod flow;
mod funds;
mod kept;
mod payment_flow;
mod payment_wish;
mod payments;
mod reading;
mod replay;
mod session;
mod show_calls;
mod table;

pub(super) use show_calls::observer;

use std::process::ExitCode;

use tpp::state::Dialect;
use tpp::{ThirdParty, berlin_group, bunq};

use self::session::Session;
use super::{Failure, distinct};
use crate::cli::{TppArgs, TppCommand, TppFlowCommand};

pub(crate) async fn run(args: TppArgs) -> Result<ExitCode, Failure> {
    let session = Session::open(&args.common, &args.command).await?;
    let tenant = args.command.tenant().map(str::to_owned);
    // What is written for every dialect begins here.
    let done = match session.dialect {
        Dialect::BerlinGroup => session.run::<berlin_group::Client>(args.command).await,
        Dialect::Bunq => match session.check_branch_of_bunq(tenant.as_deref()) {
            Ok(()) => session.run::<bunq::Client>(args.command).await,
            Err(failure) => Err(failure),
        },
    };
    let explained = |failure| session.explain(failure, tenant.as_deref()).with(&session.hints);
    done.map_err(explained)
}

/// Nothing is asked for twice at once.
fn check_lists(command: &TppCommand) -> Result<(), Failure> {
    match command {
        TppCommand::Certificate(args) => distinct("--role", &args.subject.roles()),
        TppCommand::Register(args) => distinct("--redirect-uri", &args.redirect_uris),
        TppCommand::OauthClient(args) => distinct("--redirect-uri", &args.redirect_uris),
        TppCommand::Consent(args) => distinct("--iban", &args.ibans),
        _ => Ok(()),
    }
}

impl Session<'_> {
    async fn run<C: ThirdParty>(&self, command: TppCommand) -> Result<ExitCode, Failure> {
        self.check_address(C::FOREIGN_PATHS)?;
        check_lists(&command)?;
        let done = match command {
            TppCommand::Replay(command) => return self.replay(&command.file).await,
            TppCommand::Certificate(command) => self.certificate::<C>(command).await,
            TppCommand::Register(command) => self.register::<C>(command).await,
            TppCommand::Show(command) => self.show(&command),
            TppCommand::Consent(command) => self.consent::<C>(&command).await,
            TppCommand::Authorise(command) => self.authorise::<C>(&command).await,
            TppCommand::Accounts(command) => self.accounts::<C>(command).await,
            TppCommand::Balances(command) => self.balances::<C>(command).await,
            TppCommand::Transactions(command) => self.transactions::<C>(command).await,
            TppCommand::Refresh(command) => self.refresh::<C>(&command).await,
            TppCommand::Revoke(command) => self.revoke::<C>(&command).await,
            TppCommand::OauthClient(command) => self.oauth_client::<C>(&command).await,
            TppCommand::Pay(command) => self.pay::<C>(&command).await,
            TppCommand::Payment(command) => self.payment::<C>(&command).await,
            TppCommand::Draft(command) => self.draft::<C>(&command).await,
            TppCommand::Funds(command) => self.funds::<C>(&command).await,
            TppCommand::Status(command) => self.status::<C>(&command).await,
            TppCommand::Forget => self.forget(),
            TppCommand::Flow(TppFlowCommand::Ais(command)) => self.flow_ais::<C>(&command).await,
            TppCommand::Flow(TppFlowCommand::Pis(command)) => self.flow_pis::<C>(&command).await,
            TppCommand::Flow(TppFlowCommand::Funds(command)) => self.flow_funds::<C>(&command).await,
            TppCommand::Flow(TppFlowCommand::Bunq(command)) => self.flow_bunq::<C>(&command).await,
        };
        done.map(|()| ExitCode::SUCCESS)
    }
}
