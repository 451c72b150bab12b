// A call as a program in Go, with its standard library alone.

import { literal, quotedBy } from "./plan.js";

const SIGN = `
func read(name string) []byte {
	file, err := os.ReadFile(name)
	check(err)
	block, _ := pem.Decode(file)
	return block.Bytes
}

func sign(text string) string {
	key, err := x509.ParsePKCS8PrivateKey(read("key.pem"))
	check(err)
	hash := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key.(*rsa.PrivateKey), crypto.SHA256, hash[:])
	check(err)
	return base64.StdEncoding.EncodeToString(signature)
}

func putIfAbsent(headers map[string]string, name, value string) {
	if _, known := headers[name]; !known {
		headers[name] = value
	}
}
`;

const UUID = `
func uuid() string {
	octets := make([]byte, 16)
	_, err := rand.Read(octets)
	check(err)
	octets[6], octets[8] = octets[6]&0x0f|0x40, octets[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", octets[:4], octets[4:6], octets[6:8], octets[8:10], octets[10:])
}
`;

const berlinGroup = ({ keyId, names }) => `
	digest := sha256.Sum256([]byte(body))
	putIfAbsent(headers, "x-request-id", uuid())
	putIfAbsent(headers, "digest", "SHA-256="+base64.StdEncoding.EncodeToString(digest[:]))
	putIfAbsent(headers, "tpp-signature-certificate", base64.StdEncoding.EncodeToString(read("certificate.pem")))
	names := ${literal(names.join(" "))}
	var lines []string
	for _, name := range strings.Fields(names) {
		lines = append(lines, name+": "+strings.TrimSpace(headers[name]))
	}
	keyID := ${literal(keyId)}
	putIfAbsent(headers, "signature", fmt.Sprintf(\`keyId="%s",algorithm="rsa-sha256",headers="%s",signature="%s"\`,
		keyID, names, sign(strings.Join(lines, "\\n"))))
`;

const BUNQ = `
	putIfAbsent(headers, "x-bunq-client-signature", sign(body))
`;

const signing = { "berlin-group": berlinGroup, bunq: () => BUNQ, none: () => "" };
const COMMON = ["fmt", "io", "net/http", "os", "strings"];
const KEYS = ["crypto", "crypto/rand", "crypto/rsa", "crypto/sha256", "crypto/x509", "encoding/base64", "encoding/pem"];

export const go = {
  id: "go",
  title: "Go",
  file: "call.go",
  how: "go run call.go",
  code(plan) {
    const isSigned = plan.sign !== "none";
    const imports = [...(isSigned ? KEYS : []), ...COMMON].map((name) => `\t"${name}"\n`);
    const headers = Object.entries(plan.headers).map(([name, text]) => `\t\t${literal(name)}: ${literal(text)},\n`);
    return `package main

import (
${imports.join("")})

func main() {
	body := ${quotedBy("`", "`", plan.body)}
	headers := map[string]string{
${headers.join("")}	}
${signing[plan.sign](plan)}
	request, err := http.NewRequest(${literal(plan.method)}, ${literal(plan.url)}, strings.NewReader(body))
	check(err)
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	answer, err := http.DefaultTransport.RoundTrip(request)
	check(err)
	text, err := io.ReadAll(answer.Body)
	check(err)
	fmt.Println(answer.StatusCode)
	fmt.Println(string(text))
}
${isSigned ? SIGN : ""}${plan.sign === "berlin-group" ? UUID : ""}
func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
`;
  },
};
