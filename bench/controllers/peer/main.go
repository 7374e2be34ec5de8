// An operator on controller-runtime that does what Weir's controllers do when the origin of a catalog changes: one server-side apply for every
// Appliance's Assignment that is not as it should be. It reads the same objects through its caches, asks for the same fields under the same field
// manager, on the version that it read, with as many workers; which files an appliance holds it takes from the Assignment that is there, where Weir
// looks into the plans.
//
//	peer SERVER FOLDER WORKERS    FOLDER holds ca.crt, client.crt and client.key
//
// Prints "ready" once its caches have synced; ends when its standard input does.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// The index of Appliances by their site.
const bySite = "site"

type reconciler struct{ client.Client }

func (r reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	var appliance Appliance
	if err := r.Get(ctx, req.NamespacedName, &appliance); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	var site Site
	if err := r.Get(ctx, types.NamespacedName{Namespace: req.Namespace, Name: appliance.Spec.SiteRef.Name}, &site); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	var live Assignment
	if err := r.Get(ctx, req.NamespacedName, &live); err != nil || live.Spec.Content == nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	wanted := live.Spec.Content.deepCopy()
	wanted.Fill.TimeZone = site.Spec.TimeZone
	if wanted.Fill.TimeZone == "" {
		wanted.Fill.TimeZone = "UTC"
	}
	wanted.Serve = appliance.Spec.Mode == "" || appliance.Spec.Mode == "InService"
	for i := range wanted.Entries {
		var catalog Catalog
		ref := wanted.Entries[i].Catalog
		if err := r.Get(ctx, types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name}, &catalog); err != nil {
			return ctrl.Result{}, client.IgnoreNotFound(err)
		}
		wanted.Entries[i].OriginURL = catalog.Spec.OriginURL
	}
	if equality.Semantic.DeepEqual(wanted, live.Spec.Content) {
		return ctrl.Result{}, nil
	}
	wanted.Generation++
	controls := true
	next := &Assignment{
		TypeMeta: metav1.TypeMeta{APIVersion: fleet.String(), Kind: "Assignment"},
		ObjectMeta: metav1.ObjectMeta{
			Name: live.Name, Namespace: live.Namespace, UID: live.UID, ResourceVersion: live.ResourceVersion,
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: fleet.String(), Kind: "Appliance", Name: appliance.Name, UID: appliance.UID, Controller: &controls,
			}},
		},
		Spec: assignmentSpec{Content: wanted},
	}
	return ctrl.Result{}, r.Patch(ctx, next, client.Apply, client.ForceOwnership, client.FieldOwner("weir-assignment"))
}

func (r reconciler) everyAppliance(ctx context.Context, _ client.Object) []reconcile.Request {
	return r.requests(ctx)
}

func (r reconciler) appliancesAt(ctx context.Context, site client.Object) []reconcile.Request {
	return r.requests(ctx, client.InNamespace(site.GetNamespace()), client.MatchingFields{bySite: site.GetName()})
}

func (r reconciler) requests(ctx context.Context, which ...client.ListOption) []reconcile.Request {
	var appliances ApplianceList
	if err := r.List(ctx, &appliances, append(which, client.UnsafeDisableDeepCopy)...); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return nil
	}
	requests := make([]reconcile.Request, 0, len(appliances.Items))
	for i := range appliances.Items {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&appliances.Items[i])})
	}
	return requests
}

func run() error {
	if len(os.Args) != 4 {
		return fmt.Errorf("usage: peer SERVER FOLDER WORKERS")
	}
	workers, err := strconv.Atoi(os.Args[3])
	if err != nil {
		return err
	}
	file := func(name string) string { return filepath.Join(os.Args[2], name) }
	access := &rest.Config{
		Host:            os.Args[1],
		TLSClientConfig: rest.TLSClientConfig{CAFile: file("ca.crt"), CertFile: file("client.crt"), KeyFile: file("client.key")},
		// Not held back by the client: that is what servers are asked about here.
		QPS: -1,
	}
	ctrl.SetLogger(logr.Discard())
	manager, err := ctrl.NewManager(access, ctrl.Options{Scheme: newScheme(), Metrics: server.Options{BindAddress: "0"}})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	siteOf := func(object client.Object) []string { return []string{object.(*Appliance).Spec.SiteRef.Name} }
	if err := manager.GetFieldIndexer().IndexField(ctx, &Appliance{}, bySite, siteOf); err != nil {
		return err
	}
	r := reconciler{manager.GetClient()}
	asked := builder.WithPredicates(predicate.GenerationChangedPredicate{})
	err = ctrl.NewControllerManagedBy(manager).
		For(&Appliance{}, asked).
		Owns(&Assignment{}, asked).
		Watches(&Catalog{}, handler.EnqueueRequestsFromMapFunc(r.everyAppliance), asked).
		Watches(&Site{}, handler.EnqueueRequestsFromMapFunc(r.appliancesAt), asked).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Complete(r)
	if err != nil {
		return err
	}
	go func() {
		io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	go func() {
		for _, object := range []client.Object{&Appliance{}, &Site{}, &Catalog{}, &Assignment{}} {
			if _, err := manager.GetCache().GetInformer(ctx, object); err != nil {
				return
			}
		}
		fmt.Println("ready")
	}()
	return manager.Start(ctx)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
