package main

import (
	"net/http/httptest"
	"testing"
)

func TestRoutes(t *testing.T) {
	for _, row := range []struct {
		path string
		code int
		body string
	}{
		{"/healthz", 204, ""},
		{"/", 200, `{"greeting":"hello from EKS","version":"1.0.0","pod":"hello-0"}` + "\n"},
	} {
		answer := httptest.NewRecorder()
		routes("hello-0").ServeHTTP(answer, httptest.NewRequest("GET", row.path, nil))
		if answer.Code != row.code || answer.Body.String() != row.body {
			t.Errorf("%s: got %d %q, expected %d %q", row.path, answer.Code, answer.Body, row.code, row.body)
		}
	}
}
