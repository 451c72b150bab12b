//! Whom customers pay and are paid by. None of them exists.

/// Names in one country.
#[derive(Debug)]
pub(crate) struct Merchants {
    pub(crate) employer: &'static str,
    pub(crate) landlord: &'static str,
    pub(crate) energy: &'static str,
    pub(crate) telephone: &'static str,
    pub(crate) insurance: &'static str,
    pub(crate) pension: &'static str,
    pub(crate) tax: &'static str,
    pub(crate) groceries: &'static [&'static str],
    pub(crate) cafes: &'static [&'static str],
    pub(crate) transport: &'static [&'static str],
    pub(crate) shops: &'static [&'static str],
    pub(crate) people: &'static [&'static str],
    pub(crate) companies: &'static [&'static str],
}

const DUTCH: Merchants = Merchants {
    employer: "Waterland Ingenieurs B.V.",
    landlord: "Woonstichting De Linde",
    energy: "Noordzee Energie",
    telephone: "Klaartaal Telecom",
    insurance: "Onderlinge Zekerheid",
    pension: "Pensioenfonds Algemeen Nut",
    tax: "Gemeente Ergenshuizen",
    groceries: &["Buurtmarkt Noord", "De Groene Winkel", "Supermarkt Van Dam", "Versmarkt 't Hoekje"],
    cafes: &["Café De Brug", "Broodje & Co", "Espressobar Zuid", "Eethuis Saffraan"],
    transport: &["Stadsvervoer", "Tankstation A2", "Fietsverhuur Centraal"],
    shops: &["Boekhandel Letter & Geest", "Elektrowinkel Volt", "Tuincentrum Groenrijk", "Kledinghuis Draad"],
    people: &["A. de Boer", "Y. Aydın", "C. van Dijk", "F. Hendriks"],
    companies: &["Bouwbedrijf Steen B.V.", "Hotel Het Anker", "Restaurant De Lepel", "Kantine Noorderpoort"],
};

const BELGIAN: Merchants = Merchants {
    employer: "Ateliers du Canal S.A.",
    landlord: "Régie du Parc",
    energy: "Énergie du Plat Pays",
    telephone: "Beltoon Télécom",
    insurance: "Assurances de la Meuse",
    pension: "Fonds de pension commun",
    tax: "Commune de Quelquepart",
    groceries: &["Marché du Coin", "Épicerie Verte", "Superette Leclou", "Kruidenier Van Hove"],
    cafes: &["Friterie du Nord", "Café Le Pont", "Taverne 't Zand", "Boulangerie Dorée"],
    transport: &["Transports urbains", "Station E40", "Vélos partagés"],
    shops: &["Librairie Page Une", "Électro Volta", "Jardinerie Verte", "Kleding Draad"],
    people: &["A. Dubois", "K. Peeters", "N. Lambert", "É. Maes"],
    companies: &["Construction Pierre S.A.", "Hôtel de l'Ancre", "Restaurant La Cuillère", "Brouwerij Ster"],
};

const BRITISH: Merchants = Merchants {
    employer: "Fenland Engineering Ltd",
    landlord: "Elm Street Housing",
    energy: "North Sea Energy",
    telephone: "Plainspeak Telecom",
    insurance: "Common Mutual",
    pension: "General Pension Trust",
    tax: "Somewhere Borough Council",
    groceries: &["Corner Market", "The Green Grocer", "Dalton's Supermarket", "Harvest Foods"],
    cafes: &["The Bridge Café", "Crumb & Co", "South Side Espresso", "Saffron Kitchen"],
    transport: &["City Transport", "M1 Fuel Stop", "Central Cycle Hire"],
    shops: &["Page & Spine Books", "Volt Electricals", "Greenfield Garden Centre", "Thread Clothing"],
    people: &["A. Baker", "S. Okafor", "C. Doyle", "F. Hughes"],
    companies: &["Stone Builders Ltd", "The Anchor Hotel", "The Spoon Restaurant", "Northgate Canteen"],
};

const GERMAN: Merchants = Merchants {
    employer: "Moorland Technik GmbH",
    landlord: "Wohnbau Linde eG",
    energy: "Nordsee Energie",
    telephone: "Klartext Telefon",
    insurance: "Gegenseitige Versicherung",
    pension: "Allgemeine Pensionskasse",
    tax: "Stadt Irgendwo",
    groceries: &["Markt am Eck", "Der Grüne Laden", "Kaufhaus Vogel", "Frischemarkt Süd"],
    cafes: &["Café an der Brücke", "Bäckerei Krume", "Espressobar Süd", "Gasthaus Safran"],
    transport: &["Stadtverkehr", "Tankstelle A2", "Radverleih Mitte"],
    shops: &["Buchhandlung Seite", "Elektro Volt", "Gartencenter Grün", "Kleidung Faden"],
    people: &["A. Bäcker", "Y. Yılmaz", "C. Weiß", "F. Groß"],
    companies: &["Bau Stein GmbH", "Hotel zum Anker", "Restaurant Löffel", "Kantine Nordtor"],
};

/// The names of a country.
pub(crate) fn of(country: &str) -> &'static Merchants {
    match country {
        "BE" => &BELGIAN,
        "GB" => &BRITISH,
        "DE" => &GERMAN,
        _ => &DUTCH,
    }
}
