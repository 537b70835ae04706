# What `cmake --install` puts down: library, headers, command, strata.pc and a package for find_package(Strata).
include(CMakePackageConfigHelpers)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/Strata)

install(TARGETS strata EXPORT StrataTargets)
if(TARGET command)
    install(TARGETS command)
endif()
install(DIRECTORY include/strata DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.h)

if(BUILD_SHARED_LIBS)
    set(static_packages "")
    set(static_libraries "")
else()
    # A static libstrata leaves its libraries to whoever links it.
    file(READ cmake/static-packages.cmake static_packages)
    list(JOIN Hdf5_LDFLAGS " " hdf5)
    list(JOIN MPI_C_LIBRARIES " " mpi)
    set(static_libraries "-lclblast -lOpenCL -ljansson -lzip -lz -ljpeg -lpng -lhwloc -lxxhash ${hdf5} ${mpi} -lpthread -lm")
endif()

install(EXPORT StrataTargets NAMESPACE Strata:: DESTINATION ${package_folder})
configure_package_config_file(cmake/StrataConfig.cmake.in ${PROJECT_BINARY_DIR}/StrataConfig.cmake
                              INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/StrataConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/StrataConfig.cmake ${PROJECT_BINARY_DIR}/StrataConfigVersion.cmake
        DESTINATION ${package_folder})

file(RELATIVE_PATH prefix_from_pc /x/${CMAKE_INSTALL_LIBDIR}/pkgconfig /x)
configure_file(cmake/strata.pc.in ${PROJECT_BINARY_DIR}/strata.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/strata.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
