// Type-checks the Go files it is given, each as a package of its own, for tools/docs_snippets. A
// name that is not used is no finding: the files are fragments of documents. What is imported from
// elsewhere than the standard library is taken on trust.
package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"strings"
)

func main() {
	files := token.NewFileSet()
	source := importer.ForCompiler(files, "source", nil)
	findings := 0
	report := func(err error) {
		var wrong types.Error
		if errors.As(err, &wrong) && (wrong.Soft || strings.HasPrefix(wrong.Msg, "could not import golang.org/")) {
			return
		}
		findings++
		fmt.Println(err)
	}
	for _, path := range os.Args[1:] {
		if path == "--" {
			continue
		}
		file, err := parser.ParseFile(files, path, nil, parser.AllErrors)
		if err != nil {
			report(err)
			continue
		}
		config := types.Config{Importer: source, Error: report}
		config.Check("snippet", files, []*ast.File{file}, nil)
	}
	if findings > 0 {
		os.Exit(1)
	}
}
