#pragma once

#include <irmb_dnn/model.hpp>

#include <nlohmann/json.hpp>

namespace vigil {

/// What of the network runs accelerated on the CPU, for summaries.
inline nlohmann::ordered_json accelerationJson(const irmb::AccelerationReport& report) {
    return {{"library", report.library},
            {"regions", report.regions},
            {"operators", report.accelerated},
            {"of_operators", report.operators},
            {"reason", report.reason}};
}

} // namespace vigil
