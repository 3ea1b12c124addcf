# make run: set up, build, start the demo.   make test: set up and run every suite.
# One line per target; the logic is in scripts/, the suites are listed in scripts/suite.
.PHONY: run test lint bench test-unit test-integration test-webhook test-green-api test-e2e test-sdk test-coverage test-schema torture fuzz

run:               ; @scripts/run
test:              ; @scripts/test
lint:              ; @scripts/test format shell licences web-lint clippy rustdoc
test-unit:         ; @scripts/test web-unit rust-unit
test-integration:  ; @scripts/test rust-integration
test-webhook:      ; @scripts/test rust-webhook
test-green-api:    ; @scripts/test green-api
test-e2e:          ; @scripts/test e2e e2e-server
test-sdk:          ; @scripts/test sdk
test-schema:       ; @scripts/test schema
test-coverage:     ; @scripts/test coverage
bench:             ; @scripts/bench --write docs/benchmarks.md && cargo bench --package frontdesk-chatwoot-client --bench cache
torture:           ; @scripts/torture && scripts/rolling-upgrade && scripts/test full-size && scripts/fuzz --seconds 120
fuzz:              ; @scripts/fuzz --seconds 120
