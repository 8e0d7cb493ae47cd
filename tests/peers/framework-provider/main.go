// A provider with one resource, written with terraform-plugin-framework: what ours is measured beside.
//
// The resource is that of proto/tests/process/provider.rs, attribute by attribute.
package main

import (
	"context"
	"log"
	"math/big"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	pschema "github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

func main() {
	options := providerserver.ServeOpts{Address: "example.com/tfplugin/process"}
	create := func() provider.Provider { return process{} }
	if err := providerserver.Serve(context.Background(), create, options); err != nil {
		log.Fatal(err)
	}
}

type process struct{}

func (process) Metadata(_ context.Context, _ provider.MetadataRequest, response *provider.MetadataResponse) {
	response.TypeName = "process"
}

func (process) Schema(_ context.Context, _ provider.SchemaRequest, response *provider.SchemaResponse) {
	response.Schema = pschema.Schema{Attributes: map[string]pschema.Attribute{
		"greeting": pschema.StringAttribute{Optional: true, Description: "What `greet` says."},
	}}
}

func (process) Configure(context.Context, provider.ConfigureRequest, *provider.ConfigureResponse) {}

func (process) DataSources(context.Context) []func() datasource.DataSource { return nil }

func (process) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{func() resource.Resource { return note{} }}
}

// A note that is nowhere but in the state.
type note struct{}

type model struct {
	Name   types.String `tfsdk:"name"`
	Text   types.String `tfsdk:"text"`
	Topics types.Set    `tfsdk:"topics"`
	Weight types.Number `tfsdk:"weight"`
	Words  types.Number `tfsdk:"words"`
}

func (note) Metadata(_ context.Context, _ resource.MetadataRequest, response *resource.MetadataResponse) {
	response.TypeName = "process_note"
}

func (note) Schema(_ context.Context, _ resource.SchemaRequest, response *resource.SchemaResponse) {
	response.Schema = schema.Schema{
		Description: "A note.",
		Attributes: map[string]schema.Attribute{
			"name":   schema.StringAttribute{Required: true, Description: "What it is called."},
			"text":   schema.StringAttribute{Required: true, Description: "What it says."},
			"topics": schema.SetAttribute{Optional: true, ElementType: types.StringType, Description: "What it is about."},
			"weight": schema.NumberAttribute{Optional: true, Description: "How much it matters."},
			"words":  schema.NumberAttribute{Computed: true, Description: "How many words it has."},
		},
	}
}

func (note) Create(ctx context.Context, request resource.CreateRequest, response *resource.CreateResponse) {
	var planned model
	response.Diagnostics.Append(request.Plan.Get(ctx, &planned)...)
	if !response.Diagnostics.HasError() {
		response.Diagnostics.Append(response.State.Set(ctx, counted(planned))...)
	}
}

// What is in the state is how it is.
func (note) Read(context.Context, resource.ReadRequest, *resource.ReadResponse) {}

func (note) Update(ctx context.Context, request resource.UpdateRequest, response *resource.UpdateResponse) {
	var planned model
	response.Diagnostics.Append(request.Plan.Get(ctx, &planned)...)
	if !response.Diagnostics.HasError() {
		response.Diagnostics.Append(response.State.Set(ctx, counted(planned))...)
	}
}

func (note) Delete(context.Context, resource.DeleteRequest, *resource.DeleteResponse) {}

func (note) ImportState(ctx context.Context, request resource.ImportStateRequest, response *resource.ImportStateResponse) {
	resource.ImportStatePassthroughID(ctx, path.Root("name"), request, response)
}

func counted(note model) model {
	words := len(strings.Fields(note.Text.ValueString()))
	note.Words = types.NumberValue(big.NewFloat(float64(words)))
	return note
}
