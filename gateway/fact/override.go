package fact

import "slices"

// OverrideReason is the code of a reason for which a guard decides against a verdict.
// A policy may have others, with words of its own.
type OverrideReason string

// The reasons that screens have words for.
const (
	OverrideMedical     OverrideReason = "medical"
	OverrideFire        OverrideReason = "fire"         // everybody leaves
	OverrideKnownPerson OverrideReason = "known-person" // the guard has checked who it is
	OverrideOfficial    OverrideReason = "official"     // police, firefighters, ...
	OverrideSupplies    OverrideReason = "supplies"
	OverrideDeviceFault OverrideReason = "device-fault" // the verdict is a device's fault
	OverrideSuspicious  OverrideReason = "suspicious"   // of somebody who was stopped
	OverrideOther       OverrideReason = "other"
)

// Known reports whether screens have words for the reason.
func (r OverrideReason) Known() bool {
	return slices.Contains([]OverrideReason{OverrideMedical, OverrideFire, OverrideKnownPerson, OverrideOfficial,
		OverrideSupplies, OverrideDeviceFault, OverrideSuspicious, OverrideOther}, r)
}
