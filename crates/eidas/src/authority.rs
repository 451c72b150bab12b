//! Identifiers of competent authorities and the other spellings under which they are met.

/// Identifiers in the field and what the European list of national identification codes says today.
const ALIASES: &[(&str, &str)] = &[
    ("HR-CNB", "HR-HNB"),
    ("IS-FME", "IS-CBI"),
    ("LV-FCMC", "LV-BL"),
    ("LV-FKTK", "LV-BL"),
    ("LV-LV", "LV-BL"),
    ("ES-BDE", "ES-BE"),
    ("FI-FIN-FSA", "FI-FINFSA"),
];

/// Whether two identifiers name one authority. Registers write underscores and lower case, authorities merge;
/// country and code are always compared together, since several countries use the same code.
pub fn same(one: &str, other: &str) -> bool {
    normal(one) == normal(other)
}

/// The identifier that an authority has today, in one spelling: what [`same`] compares.
pub fn normal(id: &str) -> String {
    let upper = id.to_ascii_uppercase().replace('_', "-");
    match ALIASES.iter().find(|(seen, _)| *seen == upper) {
        Some((_, current)) => (*current).to_owned(),
        None => upper,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_spellings_in_the_field() {
        for (one, other) in
            [("HR-CNB", "HR-HNB"), ("LV_LV", "LV-BL"), ("FI_FIN-FSA", "FI-FINFSA"), ("DE_BaFin", "DE-BAFIN")]
        {
            assert!(same(one, other), "{one} {other}");
        }
        assert!(!same("IS-CBI", "IE-CBI") && !same("LT-BL", "LV-BL"));
    }
}
