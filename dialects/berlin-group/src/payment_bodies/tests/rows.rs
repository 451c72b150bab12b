//! What is wrong with bodies, and what is said about it.

/// Members that are changed, the code, and what is said. `x*9` is nine times x.
pub(super) type Row = (&'static str, &'static str, &'static str);

/// With any payment.
pub(super) const ANY: &[Row] = &[
    (
        r#"{"instructedAmount": {"currency": "XYZ", "amount": "1"}}"#,
        "FORMAT_ERROR",
        r#"instructedAmount.currency "XYZ" is no currency of ISO 4217; send a code such as EUR"#,
    ),
    (
        r#"{"instructedAmount": {"currency": "eur", "amount": "1"}}"#,
        "FORMAT_ERROR",
        r#"instructedAmount.currency "eur" is no currency of ISO 4217; send a code such as EUR"#,
    ),
    (
        r#"{"instructedAmount": {"currency": "XAU", "amount": "1"}}"#,
        "FORMAT_ERROR",
        r#"instructedAmount.currency "XAU" is no currency of ISO 4217; send a code such as EUR"#,
    ),
    (
        r#"{"instructedAmount": {"currency": "GBP", "amount": "1"}}"#,
        "FORMAT_ERROR",
        "instructedAmount.currency: SEPA transfers are in EUR, not in GBP",
    ),
    (
        r#"{"instructedAmount": {"currency": "EUR", "amount": "1,50"}}"#,
        "FORMAT_ERROR",
        r#"instructedAmount.amount "1,50": an amount in EUR is a decimal number of up to 14 digits with at most two places, for example 12.50"#,
    ),
    (
        r#"{"instructedAmount": {"currency": "EUR", "amount": "1.505"}}"#,
        "FORMAT_ERROR",
        r#"instructedAmount.amount "1.505": an amount in EUR is a decimal number of up to 14 digits with at most two places, for example 12.50"#,
    ),
    (
        r#"{"instructedAmount": {"currency": "EUR", "amount": 1.505}}"#,
        "FORMAT_ERROR",
        r#"instructedAmount.amount "1.505": an amount in EUR is a decimal number of up to 14 digits with at most two places, for example 12.50"#,
    ),
    (
        r#"{"instructedAmount": {"currency": "EUR", "amount": "1e3"}}"#,
        "FORMAT_ERROR",
        r#"instructedAmount.amount "1e3": an amount in EUR is a decimal number of up to 14 digits with at most two places, for example 12.50"#,
    ),
    (
        r#"{"instructedAmount": {"currency": "EUR", "amount": "+1"}}"#,
        "FORMAT_ERROR",
        r#"instructedAmount.amount "+1": an amount in EUR is a decimal number of up to 14 digits with at most two places, for example 12.50"#,
    ),
    (
        r#"{"instructedAmount": {"currency": "EUR", "amount": ""}}"#,
        "FORMAT_ERROR",
        r#"instructedAmount.amount "": an amount in EUR is a decimal number of up to 14 digits with at most two places, for example 12.50"#,
    ),
    (
        r#"{"instructedAmount": {"currency": "EUR", "amount": "0.00"}}"#,
        "FORMAT_ERROR",
        "instructedAmount.amount: the amount must be greater than 0",
    ),
    (
        r#"{"instructedAmount": {"currency": "EUR", "amount": -1}}"#,
        "FORMAT_ERROR",
        "instructedAmount.amount: the amount must be greater than 0",
    ),
    (
        r#"{"instructedAmount": {"currency": "EUR", "amount": "1000000000"}}"#,
        "FORMAT_ERROR",
        "instructedAmount.amount: the amount must be at most 999999999.99 EUR",
    ),
    (r#"{"creditorName": "ä*71"}"#, "FORMAT_ERROR", "creditorName has 71 characters; send at most 70"),
    (r#"{"creditorName": " "}"#, "FORMAT_ERROR", "creditorName is empty; send 1 to 70 characters"),
    (
        r#"{"creditorName": "Ba\nkery"}"#,
        "FORMAT_ERROR",
        "creditorName holds the character U+000A, which cannot be shown; send characters that can",
    ),
    (
        r#"{"creditorName": "Ba\u202ekery"}"#,
        "FORMAT_ERROR",
        "creditorName holds the character U+202E, which cannot be shown; send characters that can",
    ),
    (
        r#"{"endToEndIdentification": "ä*36"}"#,
        "FORMAT_ERROR",
        "endToEndIdentification has 36 characters; send at most 35",
    ),
    (
        r#"{"endToEndIdentification": ""}"#,
        "FORMAT_ERROR",
        "endToEndIdentification is empty; send 1 to 35 characters",
    ),
    (
        r#"{"remittanceInformationUnstructured": "ä*141"}"#,
        "FORMAT_ERROR",
        "remittanceInformationUnstructured has 141 characters; send at most 140",
    ),
    (
        r#"{"remittanceInformationUnstructured": "a", "remittanceInformationStructured": {"reference": "b"}}"#,
        "FORMAT_ERROR",
        "send either remittanceInformationUnstructured or remittanceInformationStructured, not both",
    ),
    (
        r#"{"remittanceInformationStructured": {}}"#,
        "FORMAT_ERROR",
        "remittanceInformationStructured is a text, or an object with the text reference",
    ),
    (
        r#"{"remittanceInformationStructured": ["a"]}"#,
        "FORMAT_ERROR",
        "remittanceInformationStructured is a text, or an object with the text reference",
    ),
    (
        r#"{"remittanceInformationStructured": {"reference": 7}}"#,
        "FORMAT_ERROR",
        "remittanceInformationStructured.reference is a text",
    ),
    (
        r#"{"remittanceInformationStructured": {"reference": "ä*36"}}"#,
        "FORMAT_ERROR",
        "remittanceInformationStructured.reference has 36 characters; send at most 35",
    ),
    (
        r#"{"remittanceInformationStructured": {"reference": "a", "referenceIssuer": "ä*36"}}"#,
        "FORMAT_ERROR",
        "remittanceInformationStructured.referenceIssuer has 36 characters; send at most 35",
    ),
    (
        r#"{"remittanceInformationUnstructuredArray": ["a"]}"#,
        "PARAMETER_NOT_SUPPORTED",
        "remittanceInformationUnstructuredArray is not supported; send one text as remittanceInformationUnstructured",
    ),
    (
        r#"{"remittanceInformationStructuredArray": []}"#,
        "PARAMETER_NOT_SUPPORTED",
        "remittanceInformationStructuredArray is not supported; send one reference as remittanceInformationStructured",
    ),
    (
        r#"{"requestedExecutionTime": "2026-12-01T12:00:00Z"}"#,
        "PARAMETER_NOT_SUPPORTED",
        "requestedExecutionTime is not supported; send a day as requestedExecutionDate",
    ),
    (
        r#"{"debtorAccount": {"iban": "NL00"}}"#,
        "FORMAT_ERROR",
        "debtorAccount: Invalid iban: NL00 (those of its country have 18 characters)",
    ),
    (
        r#"{"debtorAccount": {}}"#,
        "FORMAT_ERROR",
        "debtorAccount: an account is identified by iban alone, or by ukSortCode (6 digits) and ukAccountNumber (8 digits)",
    ),
    (
        r#"{"debtorAccount": {"foreignAccountNumber": "1"}}"#,
        "FORMAT_ERROR",
        "debtorAccount: an account is identified by iban alone, or by ukSortCode (6 digits) and ukAccountNumber (8 digits)",
    ),
    (
        r#"{"debtorAccount": {"iban": "NL91ABNA0417164300", "currency": "euro"}}"#,
        "FORMAT_ERROR",
        r#"debtorAccount: currency "euro" is no code of ISO 4217"#,
    ),
    (
        r#"{"requestedExecutionDate": "2026-11-25"}"#,
        "EXECUTION_DATE_INVALID",
        "requestedExecutionDate 2026-11-25 is in the past; send a day from 2026-11-26, which is today at this bank, to 2027-11-26",
    ),
    (
        r#"{"requestedExecutionDate": "2027-11-27"}"#,
        "EXECUTION_DATE_INVALID",
        "requestedExecutionDate 2027-11-27 is too far ahead; send a day from 2026-11-26, which is today at this bank, to 2027-11-26",
    ),
    (
        r#"{"requestedExecutionDate": "27.11.2026"}"#,
        "FORMAT_ERROR",
        r#"requestedExecutionDate "27.11.2026" is no date; expected YYYY-MM-DD, a day in a year from 1900 to 9999"#,
    ),
    (
        r#"{"startDate": "2026-12-01"}"#,
        "FORMAT_ERROR",
        "startDate is for periodic payments; post them to periodic-payments/sepa-credit-transfers",
    ),
    (
        r#"{"frequency": "Monthly"}"#,
        "FORMAT_ERROR",
        "frequency is for periodic payments; post them to periodic-payments/sepa-credit-transfers",
    ),
    (
        r#"{"endDate": "2026-12-01"}"#,
        "FORMAT_ERROR",
        "endDate is for periodic payments; post them to periodic-payments/sepa-credit-transfers",
    ),
];

/// With the payee of a SEPA payment.
pub(super) const SEPA_PAYEE: &[Row] = &[
    (r#"{"creditorAccount": {}}"#, "FORMAT_ERROR", "creditorAccount: send iban, and nothing else"),
    (
        r#"{"creditorAccount": {"ukSortCode": "123456", "ukAccountNumber": "98765432"}}"#,
        "FORMAT_ERROR",
        "creditorAccount: send iban, and nothing else",
    ),
    (
        r#"{"creditorAccount": {"iban": "NL91ABNA0417164300", "foreignAccountNumber": "1"}}"#,
        "FORMAT_ERROR",
        "creditorAccount: send iban, and nothing else",
    ),
    (
        r#"{"creditorAccount": {"iban": "NL91ABNA0417164301"}}"#,
        "FORMAT_ERROR",
        "creditorAccount.iban: Invalid iban: NL91ABNA0417164301 (its check digits do not fit: a character is wrong)",
    ),
    (
        r#"{"creditorAccount": {"iban": "SA0380000000608010167519"}}"#,
        "FORMAT_ERROR",
        "creditorAccount.iban: SEPA transfers do not reach the country SA",
    ),
    (
        r#"{"creditorAgent": "ABNANL2"}"#,
        "FORMAT_ERROR",
        r#"creditorAgent "ABNANL2" is no BIC; send 8 or 11 capital letters and digits, for example ABNANL2A"#,
    ),
    (
        r#"{"creditorAgent": "abnanl2a"}"#,
        "FORMAT_ERROR",
        r#"creditorAgent "abnanl2a" is no BIC; send 8 or 11 capital letters and digits, for example ABNANL2A"#,
    ),
    (
        r#"{"creditorAgent": "ABNANL1A"}"#,
        "FORMAT_ERROR",
        r#"creditorAgent "ABNANL1A" is no BIC; send 8 or 11 capital letters and digits, for example ABNANL2A"#,
    ),
    (
        r#"{"creditorAgent": "ABNANL2O"}"#,
        "FORMAT_ERROR",
        r#"creditorAgent "ABNANL2O" is no BIC; send 8 or 11 capital letters and digits, for example ABNANL2A"#,
    ),
    (
        r#"{"creditorAgent": "AB1ANL2A"}"#,
        "FORMAT_ERROR",
        r#"creditorAgent "AB1ANL2A" is no BIC; send 8 or 11 capital letters and digits, for example ABNANL2A"#,
    ),
    (
        r#"{"creditorAgent": "ABNANL2AX"}"#,
        "FORMAT_ERROR",
        r#"creditorAgent "ABNANL2AX" is no BIC; send 8 or 11 capital letters and digits, for example ABNANL2A"#,
    ),
    (
        r#"{"creditorAgent": "ABNANL2A-XX"}"#,
        "FORMAT_ERROR",
        r#"creditorAgent "ABNANL2A-XX" is no BIC; send 8 or 11 capital letters and digits, for example ABNANL2A"#,
    ),
    (
        r#"{"creditorAgent": ""}"#,
        "FORMAT_ERROR",
        r#"creditorAgent "" is no BIC; send 8 or 11 capital letters and digits, for example ABNANL2A"#,
    ),
    (
        r#"{"chargeBearer": "DEBT"}"#,
        "FORMAT_ERROR",
        r#"chargeBearer "DEBT" is not one of SHAR, SLEV for this product"#,
    ),
    (
        r#"{"creditorAddress": {"country": "Nederland"}}"#,
        "FORMAT_ERROR",
        r#"creditorAddress.country "Nederland" is no country; send its code of two capital letters, for example NL"#,
    ),
    (
        r#"{"creditorAddress": {"country": "nl"}}"#,
        "FORMAT_ERROR",
        r#"creditorAddress.country "nl" is no country; send its code of two capital letters, for example NL"#,
    ),
    (
        r#"{"creditorAddress": {"country": "NL", "streetName": "ä*71"}}"#,
        "FORMAT_ERROR",
        "creditorAddress.streetName has 71 characters; send at most 70",
    ),
    (
        r#"{"creditorAddress": {"country": "NL", "buildingNumber": "ä*17"}}"#,
        "FORMAT_ERROR",
        "creditorAddress.buildingNumber has 17 characters; send at most 16",
    ),
    (
        r#"{"creditorAddress": {"country": "NL", "townName": "ä*36"}}"#,
        "FORMAT_ERROR",
        "creditorAddress.townName has 36 characters; send at most 35",
    ),
    (
        r#"{"creditorAddress": {"country": "NL", "postCode": "\t1"}}"#,
        "FORMAT_ERROR",
        "creditorAddress.postcode holds the character U+0009, which cannot be shown; send characters that can",
    ),
];

/// With the payee of a payment within the United Kingdom.
pub(super) const UK_PAYEE: &[Row] = &[
    (
        r#"{"creditorAccount": {"ukSortCode": "12-34-56", "ukAccountNumber": "98765432"}}"#,
        "FORMAT_ERROR",
        "creditorAccount.ukSortCode has 6 digits, and nothing else",
    ),
    (
        r#"{"creditorAccount": {"ukSortCode": "１２", "ukAccountNumber": "98765432"}}"#,
        "FORMAT_ERROR",
        "creditorAccount.ukSortCode has 6 digits, and nothing else",
    ),
    (
        r#"{"creditorAccount": {"ukSortCode": "123456", "ukAccountNumber": "9876543"}}"#,
        "FORMAT_ERROR",
        "creditorAccount.ukAccountNumber has 8 digits, and nothing else",
    ),
    (
        r#"{"creditorAccount": {"ukSortCode": "123456"}}"#,
        "FORMAT_ERROR",
        "creditorAccount: send ukSortCode (6 digits) and ukAccountNumber (8 digits), and nothing else",
    ),
    (
        r#"{"creditorAccount": {"foreignAccountNumber": "123456"}}"#,
        "FORMAT_ERROR",
        "creditorAccount: send ukSortCode (6 digits) and ukAccountNumber (8 digits), and nothing else",
    ),
    (
        r#"{"creditorAccount": {"iban": "NL91ABNA0417164300"}}"#,
        "FORMAT_ERROR",
        "creditorAccount.iban is no British account; send one, or ukSortCode and ukAccountNumber",
    ),
    (
        r#"{"instructedAmount": {"currency": "EUR", "amount": "1"}}"#,
        "PRODUCT_INVALID",
        "instructedAmount.currency: transfers within the United Kingdom are in GBP, not in EUR",
    ),
];

/// With the payee of a cross-border payment.
pub(super) const ABROAD_PAYEE: &[Row] = &[
    (
        r#"{"creditorAccount": {}}"#,
        "FORMAT_ERROR",
        "creditorAccount: send either iban, or foreignAccountNumber, or ukSortCode and ukAccountNumber",
    ),
    (
        r#"{"creditorAccount": {"iban": "SA0380000000608010167519", "foreignAccountNumber": "1"}}"#,
        "FORMAT_ERROR",
        "creditorAccount: send either iban, or foreignAccountNumber, or ukSortCode and ukAccountNumber",
    ),
    (
        r#"{"creditorAccount": {"foreignAccountNumber": ""}}"#,
        "FORMAT_ERROR",
        "creditorAccount.foreignAccountNumber is an account number of 1 to 34 letters, digits, blanks, or - / .",
    ),
    (
        r#"{"creditorAccount": {"foreignAccountNumber": "--"}}"#,
        "FORMAT_ERROR",
        "creditorAccount.foreignAccountNumber is an account number of 1 to 34 letters, digits, blanks, or - / .",
    ),
    (
        r#"{"creditorAccount": {"foreignAccountNumber": "1*35"}}"#,
        "FORMAT_ERROR",
        "creditorAccount.foreignAccountNumber is an account number of 1 to 34 letters, digits, blanks, or - / .",
    ),
    (
        r#"{"creditorAccount": {"foreignAccountNumber": "1é"}}"#,
        "FORMAT_ERROR",
        "creditorAccount.foreignAccountNumber is an account number of 1 to 34 letters, digits, blanks, or - / .",
    ),
    (
        r#"{"creditorAgent": null}"#,
        "FORMAT_ERROR",
        "creditorAgent is missing; send the BIC of the payee's bank, or the payee's account as iban",
    ),
    (
        r#"{"chargeBearer": "share"}"#,
        "FORMAT_ERROR",
        r#"chargeBearer "share" is not one of DEBT, CRED, SHAR, SLEV for this product"#,
    ),
    (
        r#"{"instructedAmount": {"currency": "EUR", "amount": "1"}}"#,
        "FORMAT_ERROR",
        "instructedAmount.currency: cross-border transfers are in other currencies than EUR; send euros with sepa-credit-transfers",
    ),
    (
        r#"{"instructedAmount": {"currency": "JPY", "amount": "1.50"}}"#,
        "FORMAT_ERROR",
        r#"instructedAmount.amount "1.50": an amount in JPY is a decimal number of up to 14 digits with no fraction digits, for example 1250"#,
    ),
];

/// With the repetition of a periodic payment.
pub(super) const REPETITION: &[Row] = &[
    (r#"{"startDate": null}"#, "FORMAT_ERROR", "startDate is missing; send the first day, YYYY-MM-DD"),
    (
        r#"{"startDate": "2026-11-25"}"#,
        "EXECUTION_DATE_INVALID",
        "startDate 2026-11-25 is in the past; send a day from 2026-11-26, which is today at this bank, to 2027-11-26",
    ),
    (
        r#"{"startDate": "2028-01-01"}"#,
        "EXECUTION_DATE_INVALID",
        "startDate 2028-01-01 is too far ahead; send a day from 2026-11-26, which is today at this bank, to 2027-11-26",
    ),
    (
        r#"{"startDate": "tomorrow"}"#,
        "FORMAT_ERROR",
        r#"startDate "tomorrow" is no date; expected YYYY-MM-DD, a day in a year from 1900 to 9999"#,
    ),
    (r#"{"frequency": null}"#, "FORMAT_ERROR", "frequency is missing; send how often, for example Monthly"),
    (
        r#"{"frequency": "monthly"}"#,
        "FORMAT_ERROR",
        r#"frequency "monthly" is not one of Daily, Weekly, EveryTwoWeeks, Monthly, EveryTwoMonths, Quarterly, SemiAnnual, Annual, MonthlyVariable"#,
    ),
    (
        r#"{"executionRule": "modified"}"#,
        "FORMAT_ERROR",
        r#"executionRule "modified" is not one of following, preceding"#,
    ),
    (
        r#"{"endDate": "2026-13-01"}"#,
        "FORMAT_ERROR",
        r#"endDate "2026-13-01" is no date; expected YYYY-MM-DD, a day in a year from 1900 to 9999"#,
    ),
    (
        r#"{"endDate": "2026-11-30"}"#,
        "PERIOD_INVALID",
        "endDate 2026-11-30 is before startDate 2026-12-01; send a later day, or leave it out",
    ),
    (
        r#"{"endDate": "2026-12-30", "dayOfExecution": "31"}"#,
        "PERIOD_INVALID",
        "no day of execution lies between startDate 2026-12-01 and endDate 2026-12-30",
    ),
    (
        r#"{"frequency": "MonthlyVariable", "monthsOfExecution": ["1"], "endDate": "2026-12-31"}"#,
        "PERIOD_INVALID",
        "no day of execution lies between startDate 2026-12-01 and endDate 2026-12-31",
    ),
    (r#"{"dayOfExecution": "0"}"#, "FORMAT_ERROR", r#"dayOfExecution "0" is not one of "1" to "31""#),
    (r#"{"dayOfExecution": "32"}"#, "FORMAT_ERROR", r#"dayOfExecution "32" is not one of "1" to "31""#),
    (r#"{"dayOfExecution": "+1"}"#, "FORMAT_ERROR", r#"dayOfExecution "+1" is not one of "1" to "31""#),
    (r#"{"dayOfExecution": "1 "}"#, "FORMAT_ERROR", r#"dayOfExecution "1 " is not one of "1" to "31""#),
    (r#"{"dayOfExecution": "٣"}"#, "FORMAT_ERROR", r#"dayOfExecution "٣" is not one of "1" to "31""#),
    (r#"{"dayOfExecution": "001"}"#, "FORMAT_ERROR", r#"dayOfExecution "001" is not one of "1" to "31""#),
    (r#"{"dayOfExecution": ""}"#, "FORMAT_ERROR", r#"dayOfExecution "" is not one of "1" to "31""#),
    (
        r#"{"dayOfExecution": "1", "frequency": "Weekly"}"#,
        "FORMAT_ERROR",
        "dayOfExecution is a day of the month; leave it out with the frequency Weekly",
    ),
    (
        r#"{"monthsOfExecution": ["1"]}"#,
        "FORMAT_ERROR",
        "monthsOfExecution goes with the frequency MonthlyVariable; leave it out with Monthly",
    ),
    (
        r#"{"frequency": "MonthlyVariable"}"#,
        "FORMAT_ERROR",
        r#"monthsOfExecution is missing; the frequency MonthlyVariable needs it, for example ["1", "7"]"#,
    ),
    (
        r#"{"frequency": "MonthlyVariable", "monthsOfExecution": []}"#,
        "FORMAT_ERROR",
        "monthsOfExecution has 1 to 11 months",
    ),
    (
        r#"{"frequency": "MonthlyVariable", "monthsOfExecution": ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"]}"#,
        "FORMAT_ERROR",
        "monthsOfExecution has 1 to 11 months",
    ),
    (
        r#"{"frequency": "MonthlyVariable", "monthsOfExecution": ["13"]}"#,
        "FORMAT_ERROR",
        r#"monthsOfExecution: "13" is not one of "1" to "12""#,
    ),
    (
        r#"{"frequency": "MonthlyVariable", "monthsOfExecution": ["1", "01"]}"#,
        "FORMAT_ERROR",
        "monthsOfExecution names the month 1 more than once",
    ),
    (
        r#"{"requestedExecutionDate": "2026-12-01"}"#,
        "FORMAT_ERROR",
        "requestedExecutionDate is for single payments; a periodic payment begins on startDate",
    ),
    (r#"{"creditorName": ""}"#, "FORMAT_ERROR", "creditorName is empty; send 1 to 70 characters"),
];
