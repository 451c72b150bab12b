-- What is entered and not booked yet is summed with each balance: from the index alone, without the rows.

DROP INDEX postings_by_account;

CREATE INDEX postings_by_account ON postings (account, booking_date, sequence, entered_on, amount);
