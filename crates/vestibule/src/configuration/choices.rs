//! What keys choose between.

use toml::Spanned;
use toml::de::DeValue;

use super::section::{Fault, Place, Value};
use super::values::parsed;

/// Makes a choice between words.
macro_rules! choice {
    ($(#[doc = $about:literal])+ $name:ident { $( $(#[doc = $text:literal])+ $variant:ident = $word:literal; )+ }) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $name { $( $(#[doc = $text])+ $variant, )+ }

        impl $name {
            const ALL: &[Self] = &[$(Self::$variant),+];

            /// How the file says it.
            pub(crate) const fn word(self) -> &'static str {
                match self {
                    $( Self::$variant => $word, )+
                }
            }
        }

        impl Value for $name {
            fn what() -> String {
                format!("one of {}", [$(concat!("\"", $word, "\"")),+].join(", "))
            }

            fn read(value: &Spanned<DeValue<'_>>, _: &Place<'_>) -> Result<Self, Vec<Fault>> {
                parsed(value, &Self::what(), |text| Self::ALL.iter().copied().find(|one| one.word() == text))
            }
        }
    };
}

choice! {
    /// How much a bank puts up with.
    Rules {
        /// The standards to the letter.
        Strict = "strict";
        /// What working clients send is taken.
        Lenient = "lenient";
    }
}

choice! {
    /// An interface for third parties.
    Offered {
        /// NextGenPSD2.
        BerlinGroup = "berlin-group";
        /// bunq's PSD2 API.
        Bunq = "bunq";
    }
}

choice! {
    /// How ID tokens are signed.
    Signing {
        /// RSA.
        Rs256 = "RS256";
        /// ECDSA on P-256.
        Es256 = "ES256";
    }
}

choice! {
    /// What becomes of third parties that no register lists.
    Unlisted {
        /// Their certificate is enough.
        LetIn = "let_in";
        /// They are refused.
        Refuse = "refuse";
    }
}

choice! {
    /// How lines of the log look.
    LogFormat {
        /// For people.
        Text = "text";
        /// One object a line.
        Json = "json";
    }
}

choice! {
    /// How much is logged.
    LogLevel {
        /// What failed.
        Error = "error";
        /// What may fail soon too.
        Warn = "warn";
        /// Each call too.
        Info = "info";
        /// Connections that ended early too.
        Debug = "debug";
    }
}

choice! {
    /// The header in which a proxy hands the client's certificate on.
    ProxyHeader {
        /// RFC 9440.
        ClientCert = "client-cert";
        /// Envoy.
        Envoy = "x-forwarded-client-cert";
        /// nginx, ingress controllers.
        SslClientCert = "ssl-client-cert";
        /// nginx and HAProxy by custom.
        XSslCert = "x-ssl-cert";
        /// Load balancers of Amazon that pass certificates through: the client's and all that came along.
        Amazon = "x-amzn-mtls-clientcert";
        /// Those that verify them: the client's alone.
        AmazonLeaf = "x-amzn-mtls-clientcert-leaf";
    }
}
