//! Onboarding: a signed call is traded for an initial access token.

use domain::initial_access_tokens::LIFETIME;
use domain::{InitialAccessToken, Timestamp};

use crate::{Changes, Ctx, Error, Gateway, PresentedCertificate, secrets};

/// Expired tokens are kept this long, so that "expired" can be told from "unknown".
const REMEMBERED: jiff::SignedDuration = jiff::SignedDuration::from_hours(24 * 30);

/// A token that was just given out.
#[derive(Debug)]
pub struct IssuedToken {
    /// The token; only its hash is kept.
    pub token: String,
    /// Seconds until it expires.
    pub expires_in: i64,
}

impl Gateway {
    /// Gives out an initial access token to the holder of a certificate that has passed every check.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn issue_initial_access_token(
        &self,
        ctx: &Ctx,
        presented: &PresentedCertificate,
    ) -> Result<IssuedToken, Error> {
        let token = self.0.randomness.secret_uuid();
        let issued = InitialAccessToken::issue(
            secrets::hash(&token),
            presented.holder.clone(),
            ctx.tenant.clone(),
            ctx.now,
        );
        let limit = ctx.now.saturating_sub(REMEMBERED).unwrap_or(Timestamp::MIN);
        let changes =
            Changes::new().add_initial_access_token(&issued).forget_initial_access_tokens(&ctx.tenant, limit);
        self.0.store.save(changes).await?;
        Ok(IssuedToken { token, expires_in: LIFETIME.as_secs() })
    }
}
