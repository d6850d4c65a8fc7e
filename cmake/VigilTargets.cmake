option(VIGIL_WERROR "Treat compiler warnings as errors" OFF)
set(VIGIL_SANITIZE "" CACHE STRING "Sanitizers for -fsanitize=, for example address,undefined")

# Warnings and sanitizers for one of our own targets.
function(vigil_target target)
    target_compile_features(${target} PUBLIC cxx_std_17)
    target_compile_options(${target} PRIVATE
        $<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wshadow;-Wpedantic>
        $<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-Wall,-Wextra,-Wshadow>)
    if(VIGIL_WERROR)
        target_compile_options(${target} PRIVATE
            $<$<COMPILE_LANGUAGE:CXX>:-Werror>
            $<$<COMPILE_LANGUAGE:CUDA>:-Werror=all-warnings;-Xcompiler=-Werror>)
    endif()
    if(VIGIL_SANITIZE)
        target_compile_options(${target} PUBLIC -fsanitize=${VIGIL_SANITIZE} -fno-omit-frame-pointer
            -fno-sanitize-recover=all)
        target_link_options(${target} PUBLIC -fsanitize=${VIGIL_SANITIZE})
    endif()
endfunction()
